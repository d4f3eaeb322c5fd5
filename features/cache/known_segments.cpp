// features/cache/known_segments.cpp: see known_segments.hpp.
#include "features/cache/known_segments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "data/error.hpp"
#include "features/cache/segment_index.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

/// How often a folder that changes during its listing is listed again, at most.
constexpr int kMostListings = 16;

}  // namespace

KnownSegments::KnownSegments(SegmentFolder folder, const SegmentKind& kind, Warn warn)
    : folder_(std::move(folder)), kind_(kind), warn_(std::move(warn)) {}

void KnownSegments::scan() {
  // A slow listing can miss both an unlinked segment and the merged segment that was published before. So
  // only two listings that agree are trusted.
  std::vector<Sha256> before;
  for (int listing = 0; listing < kMostListings; ++listing) {
    auto listed = folder_.list();
    if (const auto* reason = std::get_if<std::string>(&listed)) {
      warn_(printable(fmt::format("the cache is not read: {}: {}: images are extracted again",
                                  folder_.path().string(), *reason)));
      return;
    }
    std::vector<Sha256>& digests = std::get<std::vector<Sha256>>(listed);
    if (digests == before) return;
    before = digests;
    if (set_.size() == 0 && !index_lied_) trust_index(digests);
    std::erase_if(digests, [&](const Sha256& digest) { return set_.file(digest) || is_refused(digest); });
    folder_.verify(digests, [this](const Sha256& digest, const VerifiedSegment& verified) {
      const auto header = fitting_header(verified);
      if (const auto* fault = std::get_if<SegmentFault>(&header)) {
        if (fault->kind != SegmentFault::Kind::kGone) refuse({digest, verified.stamp, *fault});
      } else {
        const SegmentHeader& found = std::get<SegmentHeader>(header);
        add(digest, verified.stamp, SegmentSet::Medium::kFile, found.keys, found.nonzeros);
      }
    });
  }
}

void KnownSegments::trust_index(std::span<const Sha256> files) {
  set_ = SegmentSet(SegmentIndex::read(folder_.path()));
  std::vector<std::int32_t> changed;
  for (std::size_t i = 0; i < set_.size(); ++i) {
    const auto number = static_cast<std::int32_t>(i);
    const IndexedSegment& segment = set_.segment(number);
    const std::optional<FileStamp> stamp = std::binary_search(files.begin(), files.end(), segment.digest)
                                               ? folder_.stamp_of(segment.digest)
                                               : std::nullopt;
    if (!stamp || IndexedSegment(segment.digest, *stamp) != segment) changed.push_back(number);
  }
  set_.drop(changed);
}

std::variant<SegmentHeader, SegmentFault> KnownSegments::fitting_header(
    const VerifiedSegment& verified) const {
  auto header = header_of(verified.content);
  if (const auto* found = std::get_if<SegmentHeader>(&header)) {
    if (auto reason = misfit({found->tap, found->shape, found->storage}, kind_))
      return SegmentFault{SegmentFault::Kind::kDamaged, std::move(*reason)};
  }
  return header;
}

bool KnownSegments::is_refused(const Sha256& digest) const {
  const auto refused = refused_.find(digest);
  return refused != refused_.end() && folder_.stamp_of(digest) == refused->second;
}

void KnownSegments::refuse(const LostSegment& lost) {
  warn_(set_aside(folder_.file_of(lost.digest), lost.stamp, lost.fault));
  refused_.insert_or_assign(lost.digest, lost.stamp);
}

std::int32_t KnownSegments::add(const Sha256& digest, const FileStamp& stamp, SegmentSet::Medium medium,
                                std::span<const Sha256> keys, std::span<const std::int32_t> nonzeros) {
  return set_.add(IndexedSegment(digest, stamp), medium, keys, nonzeros);
}

void KnownSegments::drop(std::span<const Sha256> digests) {
  std::vector<std::int32_t> numbers;
  for (const Sha256& digest : digests) {
    if (const auto number = set_.file(digest)) numbers.push_back(*number);
  }
  set_.drop(numbers);
}

void KnownSegments::lose(const LostSegment& lost) {
  last_loss_ = fmt::format("{}: {}", folder_.file_of(lost.digest).string(), lost.fault.reason);
  drop({&lost.digest, 1});
  if (lost.fault.kind != SegmentFault::Kind::kGone) refuse(lost);
}

std::vector<SourceSegment> KnownSegments::read_again(std::span<const Sha256> digests) {
  std::vector<SourceSegment> usable;
  folder_.verify(digests, [&](const Sha256& digest, const VerifiedSegment& verified) {
    auto header = fitting_header(verified);  // only an index may have taken it for a segment of this kind
    if (auto* fault = std::get_if<SegmentFault>(&header))
      lose({digest, verified.stamp, std::move(*fault)});
    else
      usable.push_back({digest, std::get<SegmentHeader>(std::move(header))});
  });
  return usable;
}

void KnownSegments::forget_index() {
  warn_(printable(fmt::format("the cache's index was wrong: {}: it is made anew", folder_.path().string())));
  index_lied_ = true;
  std::error_code ignored;  // the folder may be read-only
  fs::remove(folder_.path() / SegmentIndex::kFile, ignored);
  set_.forget_index();
  scan();
}

void KnownSegments::save_index() const {
  std::error_code error;
  if (folder_.foreign() || !set_.has_news() || !fs::is_directory(folder_.path(), error)) return;
  SegmentTable table = set_.table();
  static_cast<void>(SegmentIndex::write(folder_.path(), table.segments, std::move(table.rows)));
}

}  // namespace headstart
