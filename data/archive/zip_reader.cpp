// data/archive/zip_reader.cpp: wraps libzip. Formats: PKWARE's APPNOTE.TXT 6.3.
#include "data/archive/zip_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utf8proc.h>
#include <zip.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <string_view>

#include "data/archive/zip_source.hpp"

namespace headstart {
namespace {

constexpr std::size_t kFirstZipPiece = std::size_t{1} << 20;  // of a member, before its size is trusted

/// A copy of the descriptor for one handle; libzip closes the copy.
int duplicate(const FileDescriptor& file) { return ::fcntl(file.get(), F_DUPFD_CLOEXEC, 0); }

/// `name` in composed form, as the files on disk are named. macOS stores names decomposed. A name that is no
/// UTF-8 stays as it is.
std::string composed(const char* name) {
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> result(
      utf8proc_NFC(reinterpret_cast<const utf8proc_uint8_t*>(name)), std::free);
  return result ? reinterpret_cast<const char*>(result.get()) : name;
}

struct StoredName {
  std::string bytes;
  bool is_utf8 = false;  // marked as UTF-8, or plain ASCII
};

StoredName stored_name(zip* handle, std::uint64_t position) {
  const char* raw = zip_get_name(handle, position, ZIP_FL_ENC_RAW);
  if (raw == nullptr) return {};
  const std::string name = raw;
  // libzip gives a name in UTF-8. A name that is marked as UTF-8 stays as stored; any other is converted from
  // code page 437.
  const char* as_marked = zip_get_name(handle, position, ZIP_FL_ENC_STRICT);
  const bool is_utf8 = as_marked != nullptr && name == as_marked;
  return {is_utf8 ? composed(name.c_str()) : name, is_utf8};
}

ArchiveMember::Kind kind_by_mode(unsigned mode) {
  switch (mode & S_IFMT) {
    case 0:
    case S_IFREG:
      return ArchiveMember::Kind::kFile;
    case S_IFDIR:
      return ArchiveMember::Kind::kFolder;
    default:
      return ArchiveMember::Kind::kOther;
  }
}

/// libzip's text for the last failure of a zip or of one of its files.
std::string failure(zip_error_t* error) { return printable(zip_error_strerror(error)); }

struct CloseMember {
  void operator()(zip_file_t* member) const noexcept { zip_fclose(member); }
};

}  // namespace

void ZipReader::Close::operator()(zip* handle) const noexcept { zip_discard(handle); }

std::optional<ZipReader> ZipReader::open(const FileDescriptor& file) {
  const int copy = duplicate(file);
  int error = 0;
  zip* handle = copy < 0 ? nullptr : zip_fdopen(copy, 0, &error);
  if (handle == nullptr && copy >= 0) ::close(copy);
  if (handle == nullptr && error == ZIP_ER_INCONS) handle = open_without_wrong_marks(file);
  if (handle == nullptr) return std::nullopt;
  return ZipReader(handle);
}

std::uint64_t ZipReader::size() const {
  return static_cast<std::uint64_t>(std::max<zip_int64_t>(zip_get_num_entries(handle_.get(), 0), 0));
}

ArchiveMember ZipReader::member(std::uint64_t position) const {
  auto [name, is_utf8] = stored_name(handle_.get(), position);
  zip_uint8_t system = ZIP_OPSYS_DOS;
  zip_uint32_t attributes = 0;
  zip_file_get_external_attributes(handle_.get(), position, 0, &system, &attributes);
  const bool has_mode = system == ZIP_OPSYS_UNIX || system == ZIP_OPSYS_OS_X;
  // Windows programs that store '\' as separator use it in the whole name. On Unix it is an ordinary
  // character.
  if (!has_mode && name.find('/') == std::string::npos) std::replace(name.begin(), name.end(), '\\', '/');
  const auto kind =
      name.ends_with('/') ? ArchiveMember::Kind::kFolder : kind_by_mode(has_mode ? attributes >> 16U : 0);
  ArchiveMember member = named_member(position, kind, name);
  member.is_utf8 = is_utf8;
  return member;
}

std::variant<std::vector<std::byte>, Reject> ZipReader::read(std::uint64_t position,
                                                             std::uint64_t max_bytes) const {
  zip_stat_t status;
  zip_stat_init(&status);
  if (zip_stat_index(handle_.get(), position, 0, &status) != 0)
    return Reject{"cannot be read: " + failure(zip_get_error(handle_.get()))};
  std::size_t expected = 0;
  if ((status.valid & ZIP_STAT_SIZE) != 0) {
    if (status.size > max_bytes)
      return Reject{fmt::format("has {} bytes, more than the limit of {}", status.size, max_bytes)};
    expected = static_cast<std::size_t>(status.size);
  }
  if ((status.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && status.encryption_method != ZIP_EM_NONE)
    return Reject{"cannot be read: it is encrypted"};
  const std::unique_ptr<zip_file_t, CloseMember> member(zip_fopen_index(handle_.get(), position, 0));
  if (!member) return Reject{"cannot be read: " + failure(zip_get_error(handle_.get()))};
  // The size is only a claim, so memory grows with the bytes that arrive. One byte more than expected is
  // requested, because only the call behind the last byte checks the checksum.
  std::vector<std::byte> bytes(std::min(expected, kFirstZipPiece) + 1);
  std::size_t filled = 0;
  while (true) {
    if (filled == bytes.size())
      bytes.resize(std::min<std::uint64_t>(std::max(2 * filled, kFirstZipPiece), max_bytes + 1));
    const zip_int64_t count = zip_fread(member.get(), bytes.data() + filled, bytes.size() - filled);
    if (count == 0) break;
    if (count < 0) return Reject{"cannot be read: " + failure(zip_file_get_error(member.get()))};
    filled += static_cast<std::size_t>(count);
    if (filled > max_bytes) return Reject{fmt::format("has more bytes than the limit of {}", max_bytes)};
  }
  if (filled == 0) return Reject{"is empty"};
  bytes.resize(filled);
  return bytes;
}

std::optional<std::vector<std::byte>> ZipReader::read_start(std::uint64_t position, std::size_t most) const {
  const std::unique_ptr<zip_file_t, CloseMember> member(zip_fopen_index(handle_.get(), position, 0));
  if (!member) return std::nullopt;
  std::vector<std::byte> bytes(most);
  std::size_t filled = 0;
  while (filled < most) {
    const zip_int64_t count = zip_fread(member.get(), bytes.data() + filled, most - filled);
    if (count < 0) return std::nullopt;
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace headstart
