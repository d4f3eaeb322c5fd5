// pipeline/run/output_check.hpp: finds errors in an output's path before any work is done for it.
#pragma once

#include <filesystem>
#include <vector>

namespace headstart {

/// Checks that `output` can be written. An empty `output` means no output. Empty inputs are skipped.
/// @param option  the option that names `output`
/// @param inputs  files and folders that the command reads
/// @throws Error kUsage if `output` is one of `inputs`; kFailed if nothing can be written there
void check_output(const char* option, const std::filesystem::path& output,
                  const std::vector<std::filesystem::path>& inputs);

}  // namespace headstart
