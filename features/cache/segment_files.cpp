// features/cache/segment_files.cpp: see segment_files.hpp.
#include "features/cache/segment_files.hpp"

#include <fmt/format.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <future>
#include <optional>
#include <string_view>
#include <utility>

#include "data/error.hpp"
#include "data/file_bytes.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "segment-";
constexpr std::string_view kSuffix = ".h5";
constexpr std::uint64_t kMaxSegmentBytes = std::uint64_t{1}
                                           << 32;  // 64 MiB are written; merged ones may be larger

/// The fault of a file that could not be read.
SegmentFault read_fault(const fs::path& file, std::string reason) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  if (error == std::errc::no_such_file_or_directory) return {SegmentFault::Kind::kGone, std::move(reason)};
  const bool empty = !error && size == 0;  // a crash leaves such a file on some file systems
  return {empty ? SegmentFault::Kind::kDamaged : SegmentFault::Kind::kUnreadable, std::move(reason)};
}

/// @return whether `file`, if it still has `stamp`, is now named .bad
bool move_aside(const fs::path& file, const FileStamp& stamp) {
  if (FileStamp::of(file) != stamp) return false;
  const fs::path bad = file.native() + ".bad";
  std::error_code error;
  fs::rename(file, bad, error);
  if (error) return false;
  const std::optional<FileStamp> moved = FileStamp::of(bad);
  if (!moved || moved->is_of_same_content(stamp)) return true;
  fs::rename(bad, file, error);  // an undamaged file had just taken its place
  return false;
}

/// What `decode` makes of verified bytes. Its Error is a fault of the segment, which was written with it: its
/// digest is right.
template <typename Decode>
auto decoded(const std::variant<SegmentFile, SegmentFault>& content, const Decode& decode)
    -> std::variant<decltype(decode(std::span<const std::byte>())), SegmentFault> {
  if (const auto* fault = std::get_if<SegmentFault>(&content)) return *fault;
  try {
    return decode(std::get<SegmentFile>(content).bytes);
  } catch (const Error& error) {
    return SegmentFault{SegmentFault::Kind::kDamaged, error.what()};
  }
}

}  // namespace

std::optional<Sha256> digest_in_name(const fs::path& file) {
  const std::string name = file.filename().string();
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  const std::optional<Sha256> digest = Sha256::from_hex(
      std::string_view(name).substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size()));
  return digest && segment_file_name(*digest) == name ? digest : std::nullopt;
}

std::vector<fs::path> list_segments(const fs::path& folder, std::error_code& error) {
  std::vector<fs::path> files;
  error.clear();
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (digest_in_name(entry->path())) files.push_back(entry->path());
  }
  if (error == std::errc::no_such_file_or_directory) error.clear();
  std::sort(files.begin(), files.end());
  return files;
}

std::variant<SegmentFile, SegmentFault> read_segment_file(const fs::path& file) {
  const std::optional<Sha256> named = digest_in_name(file);
  if (!named) return SegmentFault{SegmentFault::Kind::kUnreadable, "its name is not that of a segment"};
  auto read = read_file(file, kMaxSegmentBytes);
  if (auto* reject = std::get_if<Reject>(&read)) return read_fault(file, std::move(reject->reason));
  auto& bytes = std::get<std::vector<std::byte>>(read);
  if (const Sha256 found = sha256(bytes); found != *named) {
    return SegmentFault{
        SegmentFault::Kind::kDamaged,
        fmt::format("its SHA-256 is {:.8}..., its name says {:.8}...", found.hex(), named->hex())};
  }
  return SegmentFile{*named, std::move(bytes)};
}

std::variant<Segment, SegmentFault> segment_of(const std::variant<SegmentFile, SegmentFault>& content) {
  return decoded(content, decode_segment);
}

std::variant<SegmentHeader, SegmentFault> header_of(const std::variant<SegmentFile, SegmentFault>& content) {
  return decoded(content, decode_segment_header);
}

void verify_segments(std::span<const fs::path> files,
                     const std::function<void(const VerifiedSegment&)>& use) {
  // Uses its own threads. An extraction's filter may open a cache while it holds a lock. If it waited in
  // oneTBB, oneTBB could give it another filter of that extraction.
  const auto at_once = static_cast<std::size_t>(std::clamp(tbb::this_task_arena::max_concurrency(), 1, 8));
  std::deque<std::future<VerifiedSegment>> ahead;
  std::size_t next = 0;
  while (next < files.size() || !ahead.empty()) {
    while (next < files.size() && ahead.size() < at_once) {
      ahead.push_back(std::async(std::launch::async, [&file = files[next]] {
        const FileStamp stamp = FileStamp::of(file).value_or(FileStamp{});
        return VerifiedSegment{file, stamp, read_segment_file(file)};
      }));
      ++next;
    }
    use(ahead.front().get());
    ahead.pop_front();
  }
}

std::string set_aside(const fs::path& file, const FileStamp& stamp, const SegmentFault& fault) {
  const bool moved = fault.kind == SegmentFault::Kind::kDamaged && move_aside(file, stamp);
  const char* const done = moved ? "is now named .bad" : "is passed over";
  return printable(
      fmt::format("a segment of the cache cannot be used: {}: {}: it {}, and its images are extracted again",
                  file.string(), fault.reason, done));
}

}  // namespace headstart
