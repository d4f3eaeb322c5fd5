// features/cache/compaction_plan.cpp: see compaction_plan.hpp.
#include "features/cache/compaction_plan.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace headstart {
namespace {

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

std::vector<Sha256> unlink_replaced(std::span<const SourceSegment> sources,
                                    std::span<const MergedSegment> merged,
                                    const std::function<bool(const Sha256&)>& unlink) {
  std::unordered_map<Sha256, std::int32_t> standing;  // the highest generation of each key
  for (const MergedSegment& segment : merged) {
    for (const Sha256& key : segment.header.keys) {
      std::int32_t& generation = standing[key];
      generation = std::max(generation, segment.header.generation);
    }
  }
  std::vector<Sha256> unlinked;
  std::unordered_set<Sha256> kept;  // keys of the sources that stay
  for (auto source = sources.rbegin(); source != sources.rend(); ++source) {
    const std::vector<Sha256>& keys = source->header.keys;
    const bool replaced = std::all_of(keys.begin(), keys.end(), [&](const Sha256& key) {
      const auto stands = standing.find(key);
      return stands != standing.end() && stands->second > source->header.generation && !kept.contains(key);
    });
    if (replaced && unlink(source->digest))
      unlinked.push_back(source->digest);
    else
      kept.insert(keys.begin(), keys.end());
  }
  return unlinked;
}

}  // namespace headstart
