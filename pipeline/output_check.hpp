// pipeline/output_check.hpp: what is known to be wrong with an output before any work is done for it.
#pragma once

#include <filesystem>
#include <vector>

namespace headstart {

/// Nothing is wrong with an empty `output`, which is none. Empty inputs are passed over.
/// @param option  that names `output`
/// @param inputs  files and folders that the command reads
/// @throws Error kUsage if `output` is one of `inputs`; kFailed if nothing can be written there
void check_output(const char* option, const std::filesystem::path& output,
                  const std::vector<std::filesystem::path>& inputs);

}  // namespace headstart
