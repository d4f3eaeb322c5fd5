// features/durable_file.hpp: a file that appears under its name whole and durable, or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace headstart {

/// Writes `bytes` to a temporary name in the same folder, fsyncs, renames to `file`, fsyncs the folder; makes
/// the folders that are missing, durably too. Any number of processes may do so at once. After a failure the
/// temporary file is gone; after a kill it stays until remove_stale_temporaries() finds it.
/// @return nothing if all went well, else why not
[[nodiscard]] std::optional<std::string> write_durably(const std::filesystem::path& file,
                                                       std::span<const std::byte> bytes);

/// The same for a file that is there already, whoever wrote it: fsyncs it and its folder.
/// @return nothing if all went well, else why not
[[nodiscard]] std::optional<std::string> make_durable(const std::filesystem::path& file);

/// Removes what killed write_durably() left in `folder` more than a day ago; younger files may be somebody's
/// work.
void remove_stale_temporaries(const std::filesystem::path& folder) noexcept;

}  // namespace headstart
