// features/segment_files.hpp: the segments of a cache folder as files: listed, read with their digest
// checked, set aside.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/sha256.hpp"

namespace headstart {

/// Files of `folder` named segment-<64 hexadecimal digits>.h5, by name; nothing where the folder can't be
/// listed.
[[nodiscard]] std::vector<std::filesystem::path> list_segments(const std::filesystem::path& folder);

struct SegmentFile {
  Sha256 digest;
  std::vector<std::byte> bytes;
};

/// The bytes of a segment whose SHA-256 is the one in its name: only such bytes may reach HDF5, which damaged
/// ones can crash.
/// @throws Error kFailed if it can't be read, or has another digest
[[nodiscard]] SegmentFile read_segment_file(const std::filesystem::path& file);

/// Renames a bad segment so that nobody reads it again (where the folder can't be written it stays and is
/// passed over each time). Returns the line that tells the user.
[[nodiscard]] std::string set_aside(const std::filesystem::path& file, std::string_view why);

}  // namespace headstart
