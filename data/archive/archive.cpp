// data/archive/archive.cpp: wraps libarchive. libarchive converts names that are marked as UTF-8 to the
// locale's character set, and composes them (NFC) if that is UTF-8, too. If it can't convert a name, a .tar
// keeps the bytes and a .zip drops the name. So libarchive runs in a locale of ours: "C" for a .tar, which
// leaves every name as it is, and UTF-8 for a .zip. A damaged header ends libarchive's reading of a .zip. In
// version 3.7 this is so even if the directory names the members behind it.
#include "data/archive/archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <locale.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "data/archive/zip_reader.hpp"
#include "data/file_descriptor.hpp"

namespace headstart {
namespace {

constexpr std::size_t kReadAhead = std::size_t{1} << 17;   // how many bytes of the file to read at a time
constexpr std::size_t kFirstPiece = std::size_t{1} << 20;  // of a member, before its size is trusted

/// Sets this thread's locale to one of two for a scope; changes nothing if the system lacks the locale.
class ScopedLocale final {
 public:
  explicit ScopedLocale(bool utf8) noexcept {
    static const locale_t plain = ::newlocale(LC_CTYPE_MASK, "C", nullptr);
    static const locale_t unicode = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (const locale_t wanted = utf8 ? unicode : plain; wanted != nullptr) previous_ = ::uselocale(wanted);
  }
  ScopedLocale(const ScopedLocale&) = delete;
  ScopedLocale& operator=(const ScopedLocale&) = delete;
  ~ScopedLocale() {
    if (previous_ != nullptr) ::uselocale(previous_);
  }

 private:
  locale_t previous_ = nullptr;
};

/// Whether the file starts like a .zip; doesn't move the file's read position.
bool starts_as_zip(const FileDescriptor& file) noexcept {
  std::array<char, 2> start{};
  return ::pread(file.get(), start.data(), start.size(), 0) == 2 && start[0] == 'P' && start[1] == 'K';
}

struct FreeArchive {
  void operator()(archive* handle) const noexcept { archive_read_free(handle); }
};
using ArchiveHandle = std::unique_ptr<archive, FreeArchive>;

/// @param in_sequence  true: reads a .zip without a directory, by the header before each member; false: reads
/// a .tar
ArchiveHandle new_handle(bool in_sequence) {
  ArchiveHandle handle(archive_read_new());
  if (!handle) throw std::bad_alloc();
  // Chosen one by one: "all" includes formats that are no archives of files, and filters that start programs.
  archive_read_support_filter_gzip(handle.get());
  archive_read_support_filter_zstd(handle.get());
  archive_read_support_filter_bzip2(handle.get());
  archive_read_support_filter_xz(handle.get());
  if (in_sequence) {
    archive_read_support_format_zip_streamable(handle.get());
  } else {
    archive_read_support_format_tar(handle.get());
  }
  return handle;
}

/// Calls a function of libarchive that deals with names. Where a name cannot be converted and errno is
/// ENOMEM, libarchive ends the process, whoever set errno.
template <typename Result, typename... Parameters, typename... Arguments>
Result with_fresh_errno(Result (*function)(Parameters...), Arguments... arguments) {
  errno = 0;
  return function(arguments...);
}

std::string reason_of(archive* handle) {
  const char* text = archive_error_string(handle);
  return printable(text == nullptr || *text == '\0' ? "damaged" : text);
}

ArchiveMember::Kind kind_of(archive_entry* entry) {
  if (with_fresh_errno(archive_entry_hardlink, entry) != nullptr) return ArchiveMember::Kind::kOther;
  const auto type = archive_entry_filetype(entry);
  if (type == AE_IFREG) return ArchiveMember::Kind::kFile;
  return type == AE_IFDIR ? ArchiveMember::Kind::kFolder : ArchiveMember::Kind::kOther;
}

}  // namespace

struct ArchiveReader::State {
  explicit State(FileDescriptor opened) : file(std::move(opened)) {}

  FileDescriptor file;
  std::optional<ZipReader> zip;    // reads everything if the file is a .zip with a directory
  ArchiveHandle handle;            // otherwise
  bool in_sequence = false;        // the argument of new_handle()
  bool is_read = true;             // the current member has no more data
  archive_entry* entry = nullptr;  // belongs to handle
  std::uint64_t position = 0;      // of the next member
  std::int64_t last_damage = -1;   // where in the archive the last unreadable header was
  int pending = ARCHIVE_OK;        // the result of open() for the first header
  bool has_pending = true;
  std::string end_reason;  // why nothing more can be read

  /// Starts from the front. @return whether the file is an archive
  bool start(bool read_in_sequence) {
    in_sequence = read_in_sequence;
    handle = new_handle(in_sequence);
    ::lseek(file.get(), 0, SEEK_SET);
    if (archive_read_open_fd(handle.get(), file.get(), kReadAhead) < ARCHIVE_WARN) return false;
    // The format is known only once the first header is looked at.
    pending = with_fresh_errno(archive_read_next_header, handle.get(), &entry);
    return pending == ARCHIVE_EOF || archive_format(handle.get()) != 0;
  }

  /// Reads data of the current member. @return like archive_read_data()
  la_ssize_t read_data(std::span<std::byte> to) {
    const la_ssize_t count = archive_read_data(handle.get(), to.data(), to.size());
    is_read = count <= 0;
    if (count == ARCHIVE_FATAL) end_reason = reason_of(handle.get());
    return count;
  }

  /// Reads the rest of the current member of a .zip that is read in sequence. To skip such a member,
  /// libarchive trusts the stated size, but reading stops at the real end. Without this function, the next
  /// member would depend on which members were read.
  void read_rest() {
    if (!in_sequence) return;
    std::array<std::byte, std::size_t{1} << 16> rest;
    while (!is_read) read_data(rest);
  }
};

ArchiveReader::ArchiveReader(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
ArchiveReader::ArchiveReader(ArchiveReader&&) noexcept = default;
ArchiveReader& ArchiveReader::operator=(ArchiveReader&&) noexcept = default;
ArchiveReader::~ArchiveReader() = default;

std::variant<ArchiveReader, Reject> ArchiveReader::open(const std::filesystem::path& file) {
  // O_NONBLOCK: a FIFO must not block.
  FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status = {};
  if (!descriptor.is_open() || ::fstat(descriptor.get(), &status) != 0)
    return Reject{"cannot be opened: " + std::generic_category().message(errno)};
  if (!S_ISREG(status.st_mode)) return Reject{"is not a regular file"};

  auto state = std::make_unique<State>(std::move(descriptor));
  state->zip = ZipReader::open(state->file);
  if (state->zip) return ArchiveReader(std::move(state));
  const bool in_sequence = starts_as_zip(state->file);
  const ScopedLocale locale(in_sequence);
  if (!state->start(in_sequence)) return Reject{"is no archive: " + reason_of(state->handle.get())};
  return ArchiveReader(std::move(state));
}

std::optional<ArchiveReader> ArchiveReader::open_behind(const std::filesystem::path& file,
                                                        std::uint64_t position) {
  auto opened = open(file);
  auto* reader = std::get_if<ArchiveReader>(&opened);
  while (reader != nullptr && reader->state_->position <= position) {
    const auto next = reader->next();
    const auto* damage = std::get_if<ArchiveDamage>(&next);
    if (std::holds_alternative<ArchiveEnd>(next) || (damage != nullptr && damage->is_end))
      return std::nullopt;
  }
  if (reader == nullptr) return std::nullopt;
  return std::move(*reader);
}

std::variant<ArchiveMember, ArchiveDamage, ArchiveEnd> ArchiveReader::next() {
  State& state = *state_;
  if (state.zip) {
    if (state.position == state.zip->size()) return ArchiveEnd{};
    return state.zip->member(state.position++);
  }
  const ScopedLocale locale(state.in_sequence);
  if (state.end_reason.empty()) state.read_rest();
  if (!state.end_reason.empty()) return ArchiveDamage{state.end_reason, true};
  archive* handle = state.handle.get();
  const int code = std::exchange(state.has_pending, false)
                       ? state.pending
                       : with_fresh_errno(archive_read_next_header, handle, &state.entry);
  if (code == ARCHIVE_EOF) return ArchiveEnd{};
  if (code == ARCHIVE_OK || code == ARCHIVE_WARN) {
    const char* name = with_fresh_errno(archive_entry_pathname, state.entry);
    if (name == nullptr) name = with_fresh_errno(archive_entry_pathname_utf8, state.entry);
    state.is_read = false;
    // The .zip marks the name as UTF-8, and libarchive drops it.
    if (name == nullptr)
      return ArchiveDamage{"the name of a member is not UTF-8, as it is said to be", false};
    return named_member(state.position++, kind_of(state.entry), name);
  }
  // Another try helps only if this one has moved on.
  const std::int64_t place = archive_read_header_position(handle);
  const bool is_end = code == ARCHIVE_FATAL || place == state.last_damage;
  state.last_damage = place;
  std::string reason = reason_of(handle);
  if (is_end) state.end_reason = reason;
  return ArchiveDamage{std::move(reason), is_end};
}

std::variant<std::vector<std::byte>, Reject> ArchiveReader::read(std::uint64_t max_bytes) {
  try {
    return read_all(max_bytes);
  } catch (const std::bad_alloc&) {
    return Reject{"is too large for the memory there is"};
  }
}

std::variant<std::vector<std::byte>, Reject> ArchiveReader::read_all(std::uint64_t max_bytes) {
  State& state = *state_;
  if (state.zip) return state.zip->read(state.position - 1, max_bytes);
  if (!state.end_reason.empty()) return Reject{"cannot be read: " + state.end_reason};
  const ScopedLocale locale(state.in_sequence);
  std::size_t expected = 0;
  if (archive_entry_size_is_set(state.entry) != 0) {
    const auto size = static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_size(state.entry), 0));
    if (size > max_bytes)
      return Reject{fmt::format("has {} bytes, more than the limit of {}", size, max_bytes)};
    expected = static_cast<std::size_t>(size);
  }
  // The size is only a claim, and may be missing, so memory grows with the bytes that arrive. One byte more
  // than expected is requested, because only the call behind the last byte checks the checksum.
  std::vector<std::byte> bytes(std::min(expected, kFirstPiece) + 1);
  std::size_t filled = 0;
  while (true) {
    if (filled == bytes.size())
      bytes.resize(std::min<std::uint64_t>(std::max(2 * filled, kFirstPiece), max_bytes + 1));
    const la_ssize_t count = state.read_data(std::span(bytes).subspan(filled));
    if (count == 0) break;
    if (count < 0) return Reject{"cannot be read: " + reason_of(state.handle.get())};
    filled += static_cast<std::size_t>(count);
    if (filled > max_bytes) return Reject{fmt::format("has more bytes than the limit of {}", max_bytes)};
  }
  if (filled == 0) return Reject{"is empty"};
  bytes.resize(filled);
  return bytes;
}

std::optional<std::vector<std::byte>> ArchiveReader::read_start(std::size_t most) {
  State& state = *state_;
  if (state.zip) return state.zip->read_start(state.position - 1, most);
  if (!state.end_reason.empty()) return std::nullopt;
  const ScopedLocale locale(state.in_sequence);
  std::vector<std::byte> bytes(most);
  std::size_t filled = 0;
  while (filled < most) {
    const la_ssize_t count = state.read_data(std::span(bytes).subspan(filled));
    if (count < 0) return std::nullopt;
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

FileStamp ArchiveReader::stamp() const { return FileStamp::of(state_->file).value_or(FileStamp{}); }

bool ArchiveReader::is_usable() const noexcept { return state_->end_reason.empty(); }

bool is_archive(const std::filesystem::path& file) {
  auto opened = ArchiveReader::open(file);
  auto* reader = std::get_if<ArchiveReader>(&opened);
  return reader != nullptr && std::holds_alternative<ArchiveMember>(reader->next());
}

}  // namespace headstart
