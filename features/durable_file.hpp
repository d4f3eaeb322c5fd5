// features/durable_file.hpp: a file that appears under its name whole and durable, or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace headstart {

/// Writes `bytes` to a temporary name in the same folder (made if need be), fsyncs, renames to `file`, fsyncs
/// the folder. The temporary file is gone if any of that fails, unless the process is killed meanwhile.
/// Nothing when all went well, else why not.
[[nodiscard]] std::optional<std::string> write_durably(const std::filesystem::path& file,
                                                       std::span<const std::byte> bytes);

/// Removes temporary files that a killed write_durably left in `folder` more than a day ago.
void remove_stale_temporaries(const std::filesystem::path& folder);

}  // namespace headstart
