// features/cache/compaction.cpp: see compaction.hpp.
#include "features/cache/compaction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>

namespace headstart {
namespace {

namespace fs = std::filesystem;

std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }

/// The origin of merged rows. The same engine computed them, but host and version of headstart may differ.
SegmentOrigin common_origin(const SegmentOrigin& a, const SegmentOrigin& b) {
  SegmentOrigin common = a;
  if (a.host != b.host) common.host = "several";
  if (a.headstart_version != b.headstart_version) common.headstart_version = "several";
  return common;
}

using EngineName = std::pair<std::string, std::string>;

EngineName engine_of(const SourceSegment& source) {
  return {source.header.origin.engine, source.header.origin.engine_version};
}

/// Removes sources that share no key with another one and are the only source of their engine.
void leave_out_loners(std::vector<SourceSegment>& sources) {
  std::unordered_map<Sha256, int> holders;
  std::map<EngineName, int> of_engine;
  for (const SourceSegment& source : sources) {
    ++of_engine[engine_of(source)];
    for (const Sha256& key : source.header.keys) ++holders[key];
  }
  std::erase_if(sources, [&](const SourceSegment& source) {
    const std::vector<Sha256>& keys = source.header.keys;
    return of_engine[engine_of(source)] == 1 &&
           std::all_of(keys.begin(), keys.end(), [&](const Sha256& key) { return holders[key] == 1; });
  });
}

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
      const Sha256& digest = plan_.sources[at(source)].digest;
      const fs::path file = folder_.file_of(digest);
      const FileStamp stamp = FileStamp::of(file).value_or(FileStamp{});
      auto read = load_segment(file);
      if (auto* segment = std::get_if<Segment>(&read))
        segment_ = std::move(*segment);
      else
        outcome_.lost.push_back({digest, stamp, std::move(std::get<SegmentFault>(read))});
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
    segment.keys.push_back(plan.sources[at(row.source)].header.keys[at(row.row)]);
    segment.rows.append_row(*rows, at(row.row));
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
  std::vector<fs::path> files;
  std::transform(names.begin(), names.end(), std::back_inserter(files),
                 [&](const Sha256& name) { return folder.file_of(name); });
  verify_segments(files, [&](const VerifiedSegment& verified) {
    if (const auto* fault = std::get_if<SegmentFault>(&verified.content)) {
      if (fault->kind != SegmentFault::Kind::kGone)  // gone: another process merged it further
        outcome.failure = fmt::format("{}: {}", verified.file.filename().string(), fault->reason);
      return;
    }
    const SegmentFile& file = std::get<SegmentFile>(verified.content);
    outcome.published.push_back({file.digest, verified.stamp, decode_segment_header(file.bytes)});
  });
}

/// Unlinks the replaced sources, the last name first. A source that stays also keeps the sources before it
/// that share a key with it. Otherwise the row of the source that stays would begin to count.
void unlink_replaced(const CompactionPlan& plan, const SegmentFolder& folder,
                     const CompactionSettings& settings, CompactionOutcome& outcome) {
  std::unordered_map<Sha256, std::int32_t> standing;  // the highest generation of each key
  for (const CompactionOutcome::Published& published : outcome.published) {
    for (const Sha256& key : published.header.keys) {
      std::int32_t& generation = standing[key];
      generation = std::max(generation, published.header.generation);
    }
  }
  std::unordered_set<Sha256> kept;  // keys of the sources that stay
  CompactionPoint next = CompactionPoint::kBeforeUnlink;
  for (auto source = plan.sources.rbegin(); source != plan.sources.rend(); ++source) {
    const std::vector<Sha256>& keys = source->header.keys;
    const bool replaced = std::all_of(keys.begin(), keys.end(), [&](const Sha256& key) {
      const auto stands = standing.find(key);
      return stands != standing.end() && stands->second > source->header.generation && !kept.contains(key);
    });
    if (replaced) settings.reached(std::exchange(next, CompactionPoint::kBetweenUnlinks));
    if (replaced && folder.unlink(source->digest))
      outcome.unlinked.push_back(source->digest);
    else
      kept.insert(keys.begin(), keys.end());
  }
}

}  // namespace

std::vector<Sha256> segments_to_merge(const SegmentTable& table, std::uint64_t small_bytes) {
  std::vector<bool> chosen;
  for (const IndexedSegment& segment : table.segments) chosen.push_back(segment.bytes < small_bytes);
  std::unordered_map<Sha256, std::int32_t> holder;
  holder.reserve(table.rows.size());
  for (const IndexedRow& row : table.rows) {
    const auto [first, is_new] = holder.try_emplace(row.key, row.segment);
    if (!is_new && first->second != row.segment) chosen[at(first->second)] = chosen[at(row.segment)] = true;
  }
  std::vector<Sha256> names;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i] && (names.empty() || names.back() != table.segments[i].digest))
      names.push_back(table.segments[i].digest);
  }
  return names;
}

bool tells_truth(const SegmentTable& table, const std::vector<SourceSegment>& sources) {
  std::unordered_map<Sha256, std::vector<const IndexedRow*>> told;
  for (const SourceSegment& source : sources) told.try_emplace(source.digest);
  for (const IndexedRow& row : table.rows) {
    const auto of = told.find(table.segments[at(row.segment)].digest);
    if (of != told.end()) of->second.push_back(&row);
  }
  return std::all_of(sources.begin(), sources.end(), [&](const SourceSegment& source) {
    const SegmentHeader& header = source.header;
    std::vector<const IndexedRow*>& rows = told[source.digest];
    std::sort(rows.begin(), rows.end(),
              [](const IndexedRow* a, const IndexedRow* b) { return a->row < b->row; });
    if (rows.size() != header.keys.size()) return false;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (at(rows[i]->row) != i || rows[i]->key != header.keys[i] || rows[i]->nonzeros != header.nonzeros[i])
        return false;
    }
    return true;
  });
}

CompactionPlan plan_compaction(std::vector<SourceSegment> sources, std::size_t merged_bytes) {
  std::sort(sources.begin(), sources.end(),
            [](const SourceSegment& a, const SourceSegment& b) { return a.digest < b.digest; });
  std::erase_if(sources,
                [](const SourceSegment& source) { return source.header.generation >= kMaxGeneration; });
  leave_out_loners(sources);
  CompactionPlan plan;
  plan.sources = std::move(sources);
  for (const SourceSegment& source : plan.sources)
    plan.generation = std::max(plan.generation, source.header.generation + 1);

  struct Open {  // for each engine
    CompactionPlan::Merged merged;
    std::size_t nonzeros = 0;
  };
  std::map<EngineName, Open> of_engine;
  std::unordered_set<Sha256> taken;
  for (std::int32_t number = 0; at(number) < plan.sources.size(); ++number) {
    const SegmentHeader& header = plan.sources[at(number)].header;
    Open& open = of_engine[engine_of(plan.sources[at(number)])];
    CompactionPlan::Merged& merged = open.merged;
    for (std::size_t row = 0; row < header.keys.size(); ++row) {
      if (!taken.insert(header.keys[row]).second) continue;
      merged.origin = merged.rows.empty() ? header.origin : common_origin(merged.origin, header.origin);
      merged.rows.push_back({number, static_cast<std::int32_t>(row)});
      open.nonzeros += static_cast<std::size_t>(header.nonzeros[row]);
      if (activation_bytes(merged.rows.size(), open.nonzeros, header.shape, header.storage) >= merged_bytes)
        plan.merged.push_back(std::exchange(open, Open{}).merged);
    }
  }
  for (auto& [engine, open] : of_engine) {
    if (!open.merged.rows.empty()) plan.merged.push_back(std::move(open.merged));
  }
  return plan;
}

CompactionOutcome carry_out(const CompactionPlan& plan, SegmentFolder& folder,
                            const CompactionSettings& settings) {
  CompactionOutcome outcome;
  if (plan.merged.empty()) return outcome;
  const std::vector<Sha256> names = publish_merged(plan, folder, settings, outcome);
  settings.reached(CompactionPoint::kBeforeVerify);
  verify_published(names, folder, outcome);
  unlink_replaced(plan, folder, settings, outcome);
  return outcome;
}

}  // namespace headstart
