// features/compaction.cpp: FeatureCache::compact(): few segments instead of many.
// Invariant: nothing is unlinked before every row of it that counts is durable in another segment. Surprise:
// segments that share a key are merged even where they are large, because the name of a merged one would
// decide anew which of the two rows counts.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "data/error.hpp"
#include "features/cache.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSmallBytes = SegmentBuilder::kMaxBytes / 2;

/// Of rows that the same engine computed, if not always in the same place.
SegmentOrigin common_origin(const SegmentOrigin& a, const SegmentOrigin& b) {
  SegmentOrigin common = a;
  if (a.host != b.host) common.host = "several";
  if (a.headstart_version != b.headstart_version) common.headstart_version = "several";
  return common;
}

/// What one engine computed, on its way into segments.
struct Merging {
  SegmentBuilder builder;
  std::optional<SegmentOrigin> origin;  // of the rows in the builder

  Segment take() {
    Segment segment = builder.take();
    segment.origin = *std::exchange(origin, std::nullopt);
    return segment;
  }
};

}  // namespace

std::size_t FeatureCache::small_segments() const {
  return static_cast<std::size_t>(std::count_if(sources_.begin(), sources_.end(), [](const Source& source) {
    return source.usable && source.bytes.empty() && source.segment.bytes < kSmallBytes;
  }));
}

std::vector<std::int32_t> FeatureCache::sources_to_merge() const {
  const auto is_file = [this](std::int32_t index) {
    const Source& source = sources_[static_cast<std::size_t>(index)];
    return source.usable && source.bytes.empty();
  };
  std::unordered_set<std::int32_t> chosen;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const auto index = static_cast<std::int32_t>(i);
    if (is_file(index) && sources_[i].segment.bytes < kSmallBytes) chosen.insert(index);
  }
  for (const std::span<const IndexedRow> rows : {index_.rows(), std::span<const IndexedRow>(added_)}) {
    for (const IndexedRow& row : rows) {
      const std::optional<Place> winner = find(row.key);
      if (!winner || winner->source == row.segment) continue;
      if (is_file(row.segment) && is_file(winner->source)) chosen.insert({row.segment, winner->source});
    }
  }
  std::vector<std::int32_t> sources(chosen.begin(), chosen.end());
  std::sort(sources.begin(), sources.end(), [this](std::int32_t a, std::int32_t b) {
    return sources_[static_cast<std::size_t>(a)].segment.digest <
           sources_[static_cast<std::size_t>(b)].segment.digest;
  });
  return sources;
}

FeatureCache::NewSource FeatureCache::store_segment(const Segment& segment) {
  const std::vector<std::byte> bytes = encode_segment(segment);
  const Sha256 digest = sha256(bytes);
  fs::path file = folder_ / segment_file_name(digest);
  if (auto reason = store(file, bytes)) throw StoreFailed{std::move(*reason)};
  const IndexedSegment indexed(digest, FileStamp::of(file).value_or(FileStamp{}));
  return {Source{std::move(file), indexed, {}}, segment.keys, segment.rows.counts()};
}

void FeatureCache::merge(std::span<const std::int32_t> sources, std::vector<NewSource>& merged) {
  std::map<std::pair<std::string, std::string>, Merging> of_engine;
  for (const std::int32_t source : sources) {
    const Segment segment = load(source);
    const SegmentOrigin& origin = segment.origin;
    Merging& merging = of_engine
                           .try_emplace({origin.engine, origin.engine_version},
                                        Merging{SegmentBuilder(tap_, shape_, origin, storage_), {}})
                           .first->second;
    for (std::size_t row = 0; row < segment.keys.size(); ++row) {
      const std::optional<Place> winner = find(segment.keys[row]);
      if (!winner || winner->source != source || winner->row != static_cast<std::int32_t>(row)) continue;
      merging.builder.append(segment.keys[row], segment.rows, row);
      merging.origin = merging.origin ? common_origin(*merging.origin, origin) : origin;
      if (merging.builder.full()) merged.push_back(store_segment(merging.take()));
    }
  }
  for (auto& [engine, merging] : of_engine) {
    if (!merging.builder.empty()) merged.push_back(store_segment(merging.take()));
  }
}

FeatureCache::Compaction FeatureCache::compact() {
  const std::vector<std::int32_t> sources = sources_to_merge();
  if (!usable_ || sources.size() < 2) return {};
  std::unordered_set<std::string> there;  // nothing that was there is ours to take back
  for (const Source& source : sources_) there.insert(source.file.native());
  std::vector<NewSource> merged;
  const auto take_back = [&] {
    std::error_code ignored;
    for (const NewSource& segment : merged) {
      if (!there.contains(segment.source.file.native())) fs::remove(segment.source.file, ignored);
    }
  };
  try {
    merge(sources, merged);
  } catch (const SourceLost& lost) {
    take_back();
    lose(lost);
    return compact();
  } catch (const StoreFailed& failed) {
    take_back();
    warn_(printable(fmt::format("the cache is not compacted: {}: {}: its segments stay as they are",
                                folder_.string(), failed.reason)));
    return {};
  }

  Compaction result;
  std::unordered_set<std::string> kept;
  for (const NewSource& segment : merged) {
    kept.insert(segment.source.file.native());
    result.bytes_after += segment.source.segment.bytes;
  }
  for (const std::int32_t index : sources) {
    Source& source = sources_[static_cast<std::size_t>(index)];
    source.usable = false;
    result.bytes_before += source.segment.bytes;
    if (kept.contains(source.file.native())) continue;
    std::error_code ignored;  // another process may have been faster
    fs::remove(source.file, ignored);
  }
  result.merged = sources.size();
  result.into = merged.size();
  refile_added();
  for (NewSource& segment : merged) add_source(std::move(segment.source), segment.keys, segment.nonzeros);
  save_index();
  return result;
}

}  // namespace headstart
