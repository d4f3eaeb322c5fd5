// data/image_source.hpp: where an image lies: a file, or a member of an archive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/file_stamp.hpp"

namespace headstart {

/// A member as it was listed; both position and name must still fit when it is read.
struct MemberSource {
  std::uint64_t position = 0;
  std::string name;
  FileStamp archive;  ///< of the archive when it was listed

  bool operator==(const MemberSource&) const = default;
};

/// A file, or a member of one.
struct ImageSource {
  std::filesystem::path file;  ///< the image, or the archive that holds it
  std::optional<MemberSource> member = {};
  /// Why there is nothing to read, where that is known already (an archive's lost tail, a missing label).
  std::string problem = {};

  bool operator==(const ImageSource&) const = default;
};

/// "folder/image.jpg", or "folder/archive.tar/member.jpg".
[[nodiscard]] std::string name_of(const ImageSource& source);

/// What stat() says now of the file that `source` lies in; nothing where there is none, or where it isn't the
/// archive that was listed any more.
[[nodiscard]] std::optional<FileStamp> stamp_of(const ImageSource& source);

/// Indices of `sources` so that each archive is read once, from front to back: files in their order, then the
/// archives' members in theirs.
[[nodiscard]] std::vector<std::size_t> reading_order(std::span<const ImageSource> sources);

}  // namespace headstart
