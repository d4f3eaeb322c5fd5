// features/cache/durable_file.hpp: writes a file that appears under its name whole and durable, or not at
// all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace headstart {

/// Writes `bytes` to a temporary name in the same folder, fsyncs, renames to `file`, fsyncs the folder.
/// Missing folders are made durably, too. Any number of processes may do this at once. After a failure the
/// temporary file is gone. After a kill it stays until remove_stale_temporaries() finds it.
/// @return nothing if all went well, else why not
[[nodiscard]] std::optional<std::string> write_durably(const std::filesystem::path& file,
                                                       std::span<const std::byte> bytes);

/// Makes an existing file durable, whoever wrote it: fsyncs the file and its folder.
/// @return nothing if all went well, else why not
[[nodiscard]] std::optional<std::string> make_durable(const std::filesystem::path& file);

/// Removes temporary files in `folder` that a killed write_durably() left more than a day ago. Younger files
/// may still be in use.
void remove_stale_temporaries(const std::filesystem::path& folder) noexcept;

}  // namespace headstart
