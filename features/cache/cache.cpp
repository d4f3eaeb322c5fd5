// features/cache/cache.cpp: see cache.hpp; the format is docs/cache-format.md. A fault of the cache is a
// warning here, never a failed run. There is one exception: contains() found a row, and the row is gone when
// read() wants it.
#include "features/cache/cache.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

namespace headstart {
namespace {

namespace fs = std::filesystem;

SegmentKind kind_of(const ExtractorConfiguration& configuration, const Tap& tap) {
  return {tap, tap_shape(configuration.network, tap, configuration.resize.size), configuration.storage};
}

SegmentFolder tap_folder_of(const fs::path& root, const ExtractorConfiguration& configuration,
                            const Tap& tap) {
  return {root / configuration.fingerprint() / to_string(tap), configuration.canonical_json()};
}

}  // namespace

FeatureCache::FeatureCache(const fs::path& root, const ExtractorConfiguration& configuration, const Tap& tap,
                           Warn warn)
    : known_(tap_folder_of(root, configuration, tap), kind_of(configuration, tap), std::move(warn)),
      network_(configuration.network) {
  if (const std::optional<std::string>& foreign = known_.folder().foreign()) {
    known_.warn(printable(
        fmt::format("the cache is not used: {}: remove its folder, or name another with --cache", *foreign)));
    return;
  }
  known_.scan();
}

bool FeatureCache::publish(const Segment& segment) {
  if (segment.keys.empty()) return true;
  std::vector<std::byte> bytes = encode_segment(segment);
  const Sha256 digest = sha256(bytes);
  const std::optional<std::string> failure = known_.folder().store(digest, bytes);
  if (failure && !std::exchange(warned_publish_, true)) {
    known_.warn(printable(
        fmt::format("features are not cached: {}: {}: they are kept in memory and computed again next time",
                    folder().string(), *failure)));
  }
  const FileStamp stamp = known_.folder().stamp_of(digest).value_or(FileStamp{});
  const auto medium = failure ? SegmentSet::Medium::kMemory : SegmentSet::Medium::kFile;
  const std::int32_t number = known_.add(digest, stamp, medium, segment.keys, segment.rows.counts());
  if (failure) in_memory_.emplace(number, std::move(bytes));
  return !failure;
}

std::variant<SegmentSet::Place, RowsLost> FeatureCache::place_of(const Sha256& key) const {
  if (const std::optional<SegmentSet::Place> place = known_.set().find(key)) return *place;
  if (!known_.last_loss().empty()) {
    return RowsLost{Error::Kind::kFailed, "a segment of the cache can no longer be used", known_.last_loss(),
                    "run the command again: its images are extracted again"};
  }
  return RowsLost{Error::Kind::kFailed, "an image's features are not in the cache",
                  fmt::format("{}: image with SHA-256 {}", folder().string(), key.hex()),
                  "run the command again"};
}

FeatureCache::Layout FeatureCache::layout(std::span<const Sha256> keys) const {
  Layout layout;
  layout.segments.reserve(keys.size());
  for (const Sha256& key : keys) {
    const auto found = place_of(key);
    if (const auto* lost = std::get_if<RowsLost>(&found)) throw *lost;
    const SegmentSet::Place& place = std::get<SegmentSet::Place>(found);
    layout.nonzeros += place.nonzeros;
    layout.segments.push_back(place.segment);
  }
  return layout;
}

SparseRows FeatureCache::read(std::span<const Sha256> keys) {
  auto read = try_read(keys);
  if (const auto* lost = std::get_if<RowsLost>(&read)) throw *lost;
  return std::get<SparseRows>(std::move(read));
}

std::variant<SparseRows, RowsLost> FeatureCache::try_read(std::span<const Sha256> keys) {
  while (true) {  // each turn has one segment less, or the index is dropped
    std::vector<SegmentSet::Place> places;
    places.reserve(keys.size());
    for (const Sha256& key : keys) {
      auto found = place_of(key);
      if (auto* lost = std::get_if<RowsLost>(&found)) return std::move(*lost);
      places.push_back(std::get<SegmentSet::Place>(found));
    }
    RowGathering gathering(keys, std::move(places), static_cast<std::int64_t>(known_.kind().shape.size()));
    if (gather(gathering)) return std::move(gathering.rows());
  }
}

bool FeatureCache::gather(RowGathering& gathering) {
  for (const std::int32_t number : gathering.segments()) {
    const auto loaded = load(number);
    if (const auto* lost = std::get_if<LostSegment>(&loaded)) {
      known_.lose(*lost);
      known_.scan();
      return false;
    }
    if (!gathering.take(number, std::get<Segment>(loaded))) {
      known_.forget_index();
      return false;
    }
  }
  return true;
}

std::variant<Segment, LostSegment> FeatureCache::load(std::int32_t number) const {
  if (const auto bytes = in_memory_.find(number); bytes != in_memory_.end())
    return decode_segment(bytes->second);
  return known_.folder().load(known_.set().segment(number).digest);
}

CompactionPlan FeatureCache::make_plan(const CompactionSettings& settings) {
  while (true) {  // twice at most: the second time there is no index that could be wrong
    const SegmentTable table = known_.set().table();
    std::vector<SourceSegment> sources = known_.read_again(segments_to_merge(table, settings.small_bytes()));
    if (tells_truth(table, sources)) return plan_compaction(std::move(sources), settings.merged_bytes);
    if (known_.index_lied()) return {};
    known_.forget_index();
  }
}

FeatureCache::Compaction FeatureCache::compact(const CompactionSettings& settings) {
  SegmentFolder& folder = known_.folder();
  if (folder.foreign() || segments_to_merge(known_.set().table(), settings.small_bytes()).size() < 2)
    return {};
  const FolderLock lock = settings.lock ? folder.lock() : FolderLock{FolderLock::State::kImpossible};
  if (lock.state == FolderLock::State::kTaken) return {.elsewhere = true};
  if (lock.state == FolderLock::State::kUnwritable) {
    warn_not_compacted(lock.reason);
    return {};
  }
  known_.scan();  // finds the results of other compactions
  const CompactionOutcome outcome = carry_out(make_plan(settings), folder, settings);
  if (outcome.failure) warn_not_compacted(*outcome.failure);
  const Compaction result = take_over(outcome);
  known_.scan();  // lost rows may be in other segments
  save_index();
  return result;
}

FeatureCache::Compaction FeatureCache::take_over(const CompactionOutcome& outcome) {
  Compaction result{.merged = outcome.unlinked.size(), .into = outcome.published.size()};
  for (const LostSegment& lost : outcome.lost) {
    if (known_.set().file(lost.digest)) known_.lose(lost);
  }
  for (const Sha256& digest : outcome.unlinked) {
    if (const auto number = known_.set().file(digest))
      result.bytes_before += known_.set().segment(*number).bytes;
  }
  known_.drop(outcome.unlinked);
  for (const MergedSegment& merged : outcome.published) {
    known_.add(merged.digest, merged.stamp, SegmentSet::Medium::kFile, merged.header.keys,
               merged.header.nonzeros);
    result.bytes_after += merged.stamp.bytes;
  }
  return result;
}

void FeatureCache::warn_not_compacted(std::string_view reason) const {
  known_.warn(printable(fmt::format("the cache is not compacted: {}: {}: segments stay as they are",
                                    folder().string(), reason)));
}

}  // namespace headstart
