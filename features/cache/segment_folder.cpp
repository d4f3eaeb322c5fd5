// features/cache/segment_folder.cpp: see segment_folder.hpp; the format is docs/cache-format.md.
#include "features/cache/segment_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "data/error.hpp"
#include "data/file_bytes.hpp"
#include "features/cache/durable_file.hpp"
#include "features/cache/extractor_configuration.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfigurationFile = "extractor.json";

std::string reason_of(int error) { return std::generic_category().message(error); }

FolderLock lock_of(FileDescriptor file) {
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    const auto state = errno == EWOULDBLOCK ? FolderLock::State::kTaken : FolderLock::State::kImpossible;
    return {state, reason_of(errno), FileDescriptor(-1)};
  }
  return {FolderLock::State::kHeld, {}, std::move(file)};
}

}  // namespace

SegmentFolder::SegmentFolder(fs::path path, std::string extractor_json)
    : path_(std::move(path)),
      extractor_json_(std::move(extractor_json)),
      foreign_(find_foreign_configuration()) {}

std::optional<std::string> SegmentFolder::find_foreign_configuration() const {
  const fs::path file = path_.parent_path() / kConfigurationFile;
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  const auto read = read_file(file, ExtractorConfiguration::kMaxJsonBytes);
  const auto line = [&](std::string_view reason) { return fmt::format("{}: {}", file.string(), reason); };
  if (const auto* reject = std::get_if<Reject>(&read)) return line(reject->reason);
  const auto expected = std::as_bytes(std::span(extractor_json_));
  const auto& found = std::get<std::vector<std::byte>>(read);
  if (std::equal(found.begin(), found.end(), expected.begin(), expected.end())) return std::nullopt;
  return line("it describes another extractor than its folder's name");
}

fs::path SegmentFolder::file_of(const Sha256& digest) const { return path_ / segment_file_name(digest); }

std::variant<std::vector<Sha256>, std::string> SegmentFolder::list() const {
  std::error_code error;
  const std::vector<fs::path> files = list_segments(path_, error);
  if (error) return error.message();
  std::vector<Sha256> digests;
  digests.reserve(files.size());
  for (const fs::path& file : files) digests.push_back(*digest_in_name(file));
  return digests;
}

std::optional<FileStamp> SegmentFolder::stamp_of(const Sha256& digest) const {
  return FileStamp::of(file_of(digest));
}

void SegmentFolder::verify(std::span<const Sha256> digests,
                           const std::function<void(const Sha256&, const VerifiedSegment&)>& use) const {
  std::vector<fs::path> files;
  files.reserve(digests.size());
  for (const Sha256& digest : digests) files.push_back(file_of(digest));
  auto next = digests.begin();
  verify_segments(files, [&](const VerifiedSegment& verified) { use(*next++, verified); });
}

std::variant<Segment, LostSegment> SegmentFolder::load(const Sha256& digest) const {
  const FileStamp stamp = stamp_of(digest).value_or(FileStamp{});
  auto read = segment_of(read_segment_file(file_of(digest)));
  if (auto* fault = std::get_if<SegmentFault>(&read)) return LostSegment{digest, stamp, std::move(*fault)};
  return std::get<Segment>(std::move(read));
}

std::optional<std::string> SegmentFolder::store(const Sha256& digest, std::span<const std::byte> bytes) {
  if (foreign_) return foreign_;
  if (!std::exchange(stored_, true)) {
    remove_stale_temporaries(path_);
    remove_stale_temporaries(path_.parent_path());
  }
  const fs::path extractor = path_.parent_path() / kConfigurationFile;
  std::error_code error;
  if (!fs::exists(extractor, error)) {
    if (auto reason = write_durably(extractor, std::as_bytes(std::span(extractor_json_)))) return reason;
  }
  const fs::path file = file_of(digest);
  const bool whole = fs::exists(file, error) && std::holds_alternative<SegmentFile>(read_segment_file(file));
  // Another process may have given it this name just now, and not yet made it durable.
  if (whole && !make_durable(file)) return std::nullopt;
  return write_durably(file, bytes);
}

bool SegmentFolder::unlink(const Sha256& digest) const {
  std::error_code error;
  fs::remove(file_of(digest), error);  // no error if another process was faster
  return !error;
}

FolderLock SegmentFolder::lock() const {
  const fs::path name = path_ / kLockFile;
  // Opened for writing, because NFS locks no other file. Elsewhere another user's file can be locked without
  // writing.
  FileDescriptor writable(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (writable.is_open()) return lock_of(std::move(writable));
  const int error = errno;
  FileDescriptor readable(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (error == EACCES && readable.is_open()) return lock_of(std::move(readable));
  return {FolderLock::State::kUnwritable, reason_of(error), FileDescriptor(-1)};
}

}  // namespace headstart
