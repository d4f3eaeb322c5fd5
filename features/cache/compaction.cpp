// features/cache/compaction.cpp: see compaction.hpp.
#include "features/cache/compaction.hpp"

#include <fmt/format.h>

#include <span>
#include <utility>
#include <variant>

namespace headstart {
namespace {

std::size_t as_index(std::int32_t number) { return static_cast<std::size_t>(number); }

/// Loads sources for the merged segments, one at a time, and keeps the last one.
class SourceLoader {
 public:
  SourceLoader(const CompactionPlan& plan, const SegmentFolder& folder, CompactionOutcome& outcome)
      : plan_(plan), folder_(folder), outcome_(outcome) {}

  /// The source's rows, valid until the next call; nothing if the source can't be read any more.
  const SparseRows* rows(std::int32_t source) {
    if (source != loaded_) {
      loaded_ = source;
      segment_.reset();
      auto read = folder_.load(plan_.sources[as_index(source)].digest);
      if (auto* segment = std::get_if<Segment>(&read))
        segment_ = std::move(*segment);
      else
        outcome_.lost.push_back(std::get<LostSegment>(std::move(read)));
    }
    return segment_ ? &segment_->rows : nullptr;
  }

 private:
  const CompactionPlan& plan_;
  const SegmentFolder& folder_;
  CompactionOutcome& outcome_;
  std::int32_t loaded_ = -1;
  std::optional<Segment> segment_;
};

Segment build_merged(const CompactionPlan& plan, const CompactionPlan::Merged& merged, SourceLoader& loader) {
  const SegmentHeader& like = plan.sources.front().header;
  Segment segment{like.tap, like.shape, {}, {}, merged.origin, like.storage, plan.generation};
  segment.rows.columns = static_cast<std::int64_t>(like.shape.size());
  for (const CompactionPlan::Row& row : merged.rows) {
    const SparseRows* const rows = loader.rows(row.source);
    if (rows == nullptr) continue;
    segment.keys.push_back(plan.sources[as_index(row.source)].header.keys[as_index(row.row)]);
    segment.rows.append_row(*rows, as_index(row.row));
  }
  return segment;
}

/// Publishes all merged segments, or those before the first failure. @return their names
std::vector<Sha256> publish_merged(const CompactionPlan& plan, SegmentFolder& folder,
                                   const CompactionSettings& settings, CompactionOutcome& outcome) {
  std::vector<Sha256> names;
  SourceLoader loader(plan, folder, outcome);
  for (const CompactionPlan::Merged& merged : plan.merged) {
    const Segment segment = build_merged(plan, merged, loader);
    if (segment.keys.empty()) continue;
    settings.reached(CompactionPoint::kBeforePublish);
    const std::vector<std::byte> bytes = encode_segment(segment);
    const Sha256 digest = sha256(bytes);
    outcome.failure = folder.store(digest, bytes);
    if (outcome.failure) break;
    names.push_back(digest);
  }
  return names;
}

/// Reads back the published segments.
void verify_published(std::span<const Sha256> names, const SegmentFolder& folder,
                      CompactionOutcome& outcome) {
  folder.verify(names, [&](const Sha256& name, const VerifiedSegment& verified) {
    auto header = header_of(verified.content);
    if (auto* found = std::get_if<SegmentHeader>(&header)) {
      outcome.published.push_back({name, verified.stamp, std::move(*found)});
    } else if (const auto& fault = std::get<SegmentFault>(header); fault.kind != SegmentFault::Kind::kGone) {
      // Where it is gone, another process merged it further.
      outcome.failure = fmt::format("{}: {}", verified.file.filename().string(), fault.reason);
    }
  });
}

}  // namespace

CompactionOutcome carry_out(const CompactionPlan& plan, SegmentFolder& folder,
                            const CompactionSettings& settings) {
  CompactionOutcome outcome;
  if (plan.merged.empty()) return outcome;
  const std::vector<Sha256> names = publish_merged(plan, folder, settings, outcome);
  settings.reached(CompactionPoint::kBeforeVerify);
  verify_published(names, folder, outcome);
  CompactionPoint next = CompactionPoint::kBeforeUnlink;
  outcome.unlinked = unlink_replaced(plan.sources, outcome.published, [&](const Sha256& digest) {
    settings.reached(std::exchange(next, CompactionPoint::kBetweenUnlinks));
    return folder.unlink(digest);
  });
  return outcome;
}

}  // namespace headstart
