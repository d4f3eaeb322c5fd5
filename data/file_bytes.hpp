// data/file_bytes.hpp: reads a whole regular file, with a size limit that is checked before anything is
// allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <variant>
#include <vector>

#include "data/error.hpp"

namespace headstart {

/// Larger image files are rejected unread: an image within --max-pixels never needs more.
inline constexpr std::uint64_t kMaxImageFileBytes = std::uint64_t{1} << 30;

/// The bytes of `file`, or the reason why not (missing, unreadable, a directory, a FIFO or device, empty,
/// larger than `max_bytes`). Never blocks, even if `file` is not a regular file.
[[nodiscard]] std::variant<std::vector<std::byte>, Reject> read_file(const std::filesystem::path& file,
                                                                     std::uint64_t max_bytes);

}  // namespace headstart
