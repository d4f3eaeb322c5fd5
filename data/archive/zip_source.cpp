// data/archive/zip_source.cpp: see zip_source.hpp. Formats: PKWARE's APPNOTE.TXT 6.3, sections 4.3.12
// to 4.3.16.
#include "data/archive/zip_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/utf8.hpp"

namespace headstart {
namespace {

constexpr std::uint64_t kEntryBytes = 46;    // of the directory, before the name
constexpr std::uint64_t kEndBytes = 22;      // the end record, before its comment
constexpr std::uint64_t kLocatorBytes = 20;  // before the end record of a large .zip
constexpr std::uint64_t kMostEndBytes = 65535 + kEndBytes + kLocatorBytes;
constexpr std::uint64_t kElsewhere = 0xFFFF'FFFF;  // the place is in the record that the locator points to
constexpr std::uint8_t kMark = 0x08;               // in the high byte of an entry's flags

/// Up to `count` bytes at `place`; fewer at the end of the file.
std::string bytes_at(const FileDescriptor& file, std::uint64_t place, std::uint64_t count) {
  std::string bytes(count, '\0');
  const ssize_t read = ::pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(place));
  bytes.resize(read < 0 ? 0 : static_cast<std::size_t>(read));
  return bytes;
}

/// The little-endian number at `place`, which is within `bytes`.
std::uint64_t number_at(std::string_view bytes, std::size_t place, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = width; i-- > 0;) value = value << 8U | static_cast<std::uint8_t>(bytes[place + i]);
  return value;
}

std::uint64_t size_of(const FileDescriptor& file) {
  struct stat status = {};
  return ::fstat(file.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

/// The place where the directory begins.
std::optional<std::uint64_t> place_of_directory(const FileDescriptor& file) {
  const std::uint64_t size = size_of(file);
  const std::string tail = bytes_at(file, size - std::min(size, kMostEndBytes), kMostEndBytes);
  const std::size_t end = tail.rfind("PK\5\6");
  if (end == std::string::npos || tail.size() - end < kEndBytes) return std::nullopt;
  const std::uint64_t place = number_at(tail, end + 16, 4);
  if (place != kElsewhere) return place;
  if (end < kLocatorBytes || !tail.substr(end - kLocatorBytes).starts_with("PK\6\7")) return std::nullopt;
  const std::string record = bytes_at(file, number_at(tail, end - kLocatorBytes + 8, 8), 56);
  if (record.size() != 56) return std::nullopt;
  return number_at(record, 48, 8);
}

/// The places of marks that are wrong for the name or comment, ascending.
std::vector<std::uint64_t> wrong_marks(const FileDescriptor& file) {
  std::vector<std::uint64_t> marks;
  std::optional<std::uint64_t> place = place_of_directory(file);
  while (place) {
    const std::string entry = bytes_at(file, *place, kEntryBytes);
    if (entry.size() < kEntryBytes || !entry.starts_with("PK\1\2")) break;
    const std::uint64_t name = number_at(entry, 28, 2);
    const std::uint64_t extra = number_at(entry, 30, 2);
    const std::uint64_t comment = number_at(entry, 32, 2);
    const std::uint64_t begin = *place + kEntryBytes;
    if ((static_cast<std::uint8_t>(entry[9]) & kMark) != 0 &&
        !(is_utf8(bytes_at(file, begin, name)) && is_utf8(bytes_at(file, begin + name + extra, comment))))
      marks.push_back(*place + 9);
    place = begin + name + extra + comment;
  }
  return marks;
}

/// The file as libzip sees it.
struct UnmarkedFile {
  FileDescriptor file;
  std::vector<std::uint64_t> marks;
  std::uint64_t size = 0;
  std::uint64_t position = 0;
  zip_error_t error = {};

  zip_int64_t read(void* to, std::uint64_t most) {
    const ssize_t count = ::pread(file.get(), to, most, static_cast<off_t>(position));
    if (count < 0) {
      zip_error_set(&error, ZIP_ER_READ, errno);
      return -1;
    }
    const std::uint64_t end = position + static_cast<std::uint64_t>(count);
    auto mark = std::lower_bound(marks.begin(), marks.end(), position);
    for (; mark != marks.end() && *mark < end; ++mark)
      static_cast<std::uint8_t*>(to)[*mark - position] &= static_cast<std::uint8_t>(~kMark);
    position = end;
    return count;
  }

  zip_int64_t seek(void* to, std::uint64_t length) {
    const zip_int64_t place = zip_source_seek_compute_offset(position, size, to, length, &error);
    if (place < 0) return -1;
    position = static_cast<std::uint64_t>(place);
    return 0;
  }

  [[nodiscard]] zip_int64_t stat(void* to, std::uint64_t length) {
    auto* const status = ZIP_SOURCE_GET_ARGS(zip_stat_t, to, length, &error);
    if (status == nullptr) return -1;
    zip_stat_init(status);
    status->size = size;
    status->valid = ZIP_STAT_SIZE;
    return sizeof(zip_stat_t);
  }
};

zip_int64_t answer(void* state, void* data, zip_uint64_t length, zip_source_cmd_t command) {
  auto* const file = static_cast<UnmarkedFile*>(state);
  switch (command) {
    case ZIP_SOURCE_OPEN:
      file->position = 0;
      return 0;
    case ZIP_SOURCE_READ:
      return file->read(data, length);
    case ZIP_SOURCE_CLOSE:
      return 0;
    case ZIP_SOURCE_STAT:
      return file->stat(data, length);
    case ZIP_SOURCE_ERROR:
      return zip_error_to_data(&file->error, data, length);
    case ZIP_SOURCE_FREE:
      delete file;  // NOLINT(cppcoreguidelines-owning-memory): libzip owns it
      return 0;
    case ZIP_SOURCE_SEEK:
      return file->seek(data, length);
    case ZIP_SOURCE_TELL:
      return static_cast<zip_int64_t>(file->position);
    case ZIP_SOURCE_SUPPORTS:
      return ZIP_SOURCE_SUPPORTS_SEEKABLE;
    default:
      zip_error_set(&file->error, ZIP_ER_OPNOTSUPP, 0);
      return -1;
  }
}

}  // namespace

zip* open_without_wrong_marks(const FileDescriptor& file) {
  std::vector<std::uint64_t> marks = wrong_marks(file);
  if (marks.empty()) return nullptr;
  FileDescriptor copy(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.is_open()) return nullptr;
  auto state = std::make_unique<UnmarkedFile>(UnmarkedFile{std::move(copy), std::move(marks), size_of(file)});
  zip_source_t* const source = zip_source_function_create(answer, state.get(), nullptr);
  if (source == nullptr) return nullptr;
  static_cast<void>(state.release());  // the source's
  zip* const handle = zip_open_from_source(source, ZIP_RDONLY, nullptr);
  if (handle == nullptr) zip_source_free(source);
  return handle;
}

}  // namespace headstart
