// data/archive/image_source.hpp: the place of an image: a file, or a member of an archive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/archive/file_stamp.hpp"

namespace headstart {

/// A member as it was listed. Position and name must both still fit when the member is read.
struct MemberSource {
  std::uint64_t position = 0;
  std::string name;
  FileStamp archive;  ///< of the archive when it was listed

  bool operator==(const MemberSource&) const = default;
};

/// A file, or a member of an archive.
struct ImageSource {
  std::filesystem::path file;  ///< the image, or the archive that holds it
  std::optional<MemberSource> member = {};
  /// The reason why there is nothing to read, if it is known already (an archive's lost tail, a missing
  /// label).
  std::string problem = {};

  bool operator==(const ImageSource&) const = default;
};

/// "folder/image.jpg", or "folder/archive.tar/member.jpg".
[[nodiscard]] std::string name_of(const ImageSource& source);

/// The current stamp of the file or archive of `source`. Nothing if there is none, or if the archive is not
/// the listed one any more.
[[nodiscard]] std::optional<FileStamp> stamp_of(const ImageSource& source);

/// Indices of `sources` in an order that reads each archive once, from front to back. Plain files come first,
/// in their order, then the members of the archives.
[[nodiscard]] std::vector<std::size_t> reading_order(std::span<const ImageSource> sources);

}  // namespace headstart
