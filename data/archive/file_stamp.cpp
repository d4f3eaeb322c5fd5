// data/archive/file_stamp.cpp
#include "data/archive/file_stamp.hpp"

#include <sys/stat.h>

namespace headstart {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

std::optional<FileStamp> stamp_from(const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return FileStamp{.device = status.st_dev,
                   .inode = status.st_ino,
                   .bytes = static_cast<std::uint64_t>(status.st_size),
                   .modified_ns = nanoseconds(status.st_mtim),
                   .changed_ns = nanoseconds(status.st_ctim)};
}

}  // namespace

std::optional<FileStamp> FileStamp::of(const std::filesystem::path& file) {
  struct stat status = {};
  if (::stat(file.c_str(), &status) != 0) return std::nullopt;
  return stamp_from(status);
}

std::optional<FileStamp> FileStamp::of(const FileDescriptor& file) {
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) return std::nullopt;
  return stamp_from(status);
}

bool FileStamp::is_of_same_content(const FileStamp& other) const noexcept {
  FileStamp same = other;
  same.changed_ns = changed_ns;
  return *this == same;
}

}  // namespace headstart
