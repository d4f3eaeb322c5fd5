// data/archive/file_stamp.hpp: the values of stat() that change whenever a file's content does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "data/file_descriptor.hpp"

namespace headstart {

/// The values of stat() that tell whether a file is still the same.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;  ///< of the content, since 1970
  std::int64_t changed_ns = 0;   ///< of the content or the inode; no program can set it

  /// The stamp of the regular file that `file`, or its symbolic links, lead to; nothing if there is none.
  [[nodiscard]] static std::optional<FileStamp> of(const std::filesystem::path& file);
  /// The stamp of an open file.
  [[nodiscard]] static std::optional<FileStamp> of(const FileDescriptor& file);

  /// Whether all but changed_ns agree. Renaming or unlinking an open file changes changed_ns as well.
  [[nodiscard]] bool is_of_same_content(const FileStamp& other) const noexcept;

  bool operator==(const FileStamp&) const = default;
};

}  // namespace headstart
