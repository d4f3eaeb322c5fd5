// data/file_stamp.hpp: what stat() says of a file that changes whenever its content does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "data/file_descriptor.hpp"

namespace headstart {

/// What stat() says of a file, as far as it tells whether the file is the same as before.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;  ///< of the content, since 1970
  std::int64_t changed_ns = 0;   ///< of the content or the inode; no program can set it

  /// Of the regular file at the end of `file`'s symbolic links; nothing if there is none.
  [[nodiscard]] static std::optional<FileStamp> of(const std::filesystem::path& file);
  /// Of an open file.
  [[nodiscard]] static std::optional<FileStamp> of(const FileDescriptor& file);

  /// Whether all but changed_ns agree, which renaming or unlinking an open file changes as well.
  [[nodiscard]] bool is_of_same_content(const FileStamp& other) const noexcept;

  bool operator==(const FileStamp&) const = default;
};

}  // namespace headstart
