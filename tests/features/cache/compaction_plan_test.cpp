// tests/features/cache/compaction_plan_test.cpp: what is merged, into what, and what may then go; without a
// file.
#include "features/cache/compaction_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/features/cache/cache_workplace.hpp"
#include "tests/features/cache/made_up_segment.hpp"

namespace headstart {
namespace {

using test::keys_of;
using test::made_up_key;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// As it would be read from a file. Its digest is made up.
SourceSegment source_of(int name, const std::vector<int>& images, const std::string& engine = "engine") {
  SourceSegment source;
  source.digest = sha256("segment " + std::to_string(name));
  source.header.shape = {1, 1, 512};
  source.header.keys = keys_of(images);
  source.header.nonzeros.assign(images.size(), 50);
  source.header.origin.engine = engine;
  return source;
}

/// What an index says of these sources, whose files have `bytes` bytes each.
SegmentTable table_of(std::vector<SourceSegment> sources, std::uint64_t bytes) {
  std::sort(sources.begin(), sources.end(),
            [](const SourceSegment& a, const SourceSegment& b) { return a.digest < b.digest; });
  SegmentTable table;
  for (const SourceSegment& source : sources) {
    const auto number = static_cast<std::int32_t>(table.segments.size());
    table.segments.emplace_back(source.digest, FileStamp{.bytes = bytes});
    for (std::size_t row = 0; row < source.header.keys.size(); ++row) {
      table.rows.push_back(
          {source.header.keys[row], number, static_cast<std::int32_t>(row), source.header.nonzeros[row]});
    }
  }
  return table;
}

TEST(SegmentsToMerge, AreTheSmallOnesAndThoseThatShareAKey) {
  const std::vector<SourceSegment> sources{source_of(1, {1, 2}), source_of(2, {3}), source_of(3, {2, 4})};
  EXPECT_THAT(segments_to_merge(table_of(sources, 99), 100), SizeIs(3));
  EXPECT_THAT(segments_to_merge(table_of(sources, 100), 100),
              ::testing::UnorderedElementsAre(sources[0].digest, sources[2].digest));
  EXPECT_THAT(segments_to_merge({}, 100), IsEmpty());
}

TEST(TellsTruth, NotIfARowIsMissingMovedOrMadeUp) {
  const std::vector<SourceSegment> sources{source_of(1, {1, 2}), source_of(2, {3})};
  const SegmentTable truth = table_of(sources, 1);
  EXPECT_TRUE(tells_truth(truth, sources));
  SegmentTable moved = truth;
  std::swap(moved.rows[0].key, moved.rows[1].key);
  EXPECT_FALSE(tells_truth(moved, sources));
  SegmentTable missing = truth;
  missing.rows.pop_back();
  EXPECT_FALSE(tells_truth(missing, sources));
  SegmentTable made_up = truth;
  made_up.rows.push_back({made_up_key(9), 0, 2, 50});
  EXPECT_FALSE(tells_truth(made_up, sources));
  SegmentTable miscounted = truth;
  ++miscounted.rows[0].nonzeros;
  EXPECT_FALSE(tells_truth(miscounted, sources));
}

TEST(PlanCompaction, HasEveryKeyOnceFromTheFirstNameAndIsOfAHigherGeneration) {
  EXPECT_TRUE(rc::check([] {
    std::vector<SourceSegment> sources;
    const int count = *rc::gen::inRange(0, 8);
    for (int name = 0; name < count; ++name) {
      const auto images = *rc::gen::unique<std::vector<int>>(rc::gen::inRange(0, 30));
      sources.push_back(source_of(name, images, *rc::gen::element<std::string>("a", "b")));
      sources.back().header.generation = *rc::gen::inRange(0, 3);
    }
    const auto bytes = *rc::gen::inRange<std::size_t>(1, 5000);
    const CompactionPlan plan = plan_compaction(sources, bytes);
    std::set<Sha256> wanted;
    for (const SourceSegment& source : plan.sources) {
      wanted.insert(source.header.keys.begin(), source.header.keys.end());
      RC_ASSERT(source.header.generation < plan.generation);
    }
    std::set<Sha256> planned;
    for (const CompactionPlan::Merged& merged : plan.merged) {
      for (const CompactionPlan::Row& row : merged.rows) {
        const SourceSegment& from = plan.sources.at(static_cast<std::size_t>(row.source));
        const Sha256& key = from.header.keys.at(static_cast<std::size_t>(row.row));
        RC_ASSERT(planned.insert(key).second);
        RC_ASSERT(from.header.origin.engine == merged.origin.engine);
        for (const SourceSegment& other : plan.sources) {
          const std::vector<Sha256>& keys = other.header.keys;
          const bool has_it = std::find(keys.begin(), keys.end(), key) != keys.end();
          RC_ASSERT(!has_it || !(other.digest < from.digest));
        }
      }
    }
    RC_ASSERT(planned == wanted);
    // What is left out shares no key with anything and is its engine's only one.
    for (const SourceSegment& source : sources) {
      const bool planned_for =
          std::any_of(plan.sources.begin(), plan.sources.end(),
                      [&](const SourceSegment& other) { return other.digest == source.digest; });
      if (planned_for) continue;
      for (const SourceSegment& other : sources) {
        if (other.digest == source.digest) continue;
        RC_ASSERT(other.header.origin.engine != source.header.origin.engine);
        for (const Sha256& key : source.header.keys) {
          const std::vector<Sha256>& keys = other.header.keys;
          RC_ASSERT(std::find(keys.begin(), keys.end(), key) == keys.end());
        }
      }
    }
  }));
}

TEST(PlanCompaction, LeavesASegmentAloneThatCanHaveNoHigherGeneration) {
  std::vector<SourceSegment> sources{source_of(1, {1}), source_of(2, {2}), source_of(3, {3})};
  sources[1].header.generation = kMaxGeneration;
  const CompactionPlan plan = plan_compaction(sources, 1000);
  EXPECT_THAT(plan.sources, SizeIs(2));
  EXPECT_EQ(plan.generation, 1);
}

/// A merged segment of that generation.
MergedSegment merged_of(const std::vector<int>& images, std::int32_t generation) {
  MergedSegment merged;
  merged.header.keys = keys_of(images);
  merged.header.generation = generation;
  return merged;
}

/// Sources in the order of their names, with the first of `images` in the segment whose name sorts first.
std::vector<SourceSegment> sources_by_name(const std::vector<std::vector<int>>& images) {
  std::vector<SourceSegment> sources;
  for (std::size_t i = 0; i < images.size(); ++i)
    sources.push_back(source_of(static_cast<int>(i), images[i]));
  std::vector<Sha256> names;
  for (const SourceSegment& source : sources) names.push_back(source.digest);
  std::sort(names.begin(), names.end());
  for (std::size_t i = 0; i < sources.size(); ++i) sources[i].digest = names[i];
  return sources;
}

/// What unlink_replaced() unlinks if every file but `stubborn` goes, as positions in `sources`.
std::vector<std::size_t> unlinked(const std::vector<SourceSegment>& sources,
                                  const std::vector<MergedSegment>& merged,
                                  std::optional<std::size_t> stubborn = std::nullopt) {
  std::vector<std::size_t> positions;
  const auto position_of = [&](const Sha256& digest) {
    return static_cast<std::size_t>(
        std::find_if(sources.begin(), sources.end(),
                     [&](const SourceSegment& source) { return source.digest == digest; }) -
        sources.begin());
  };
  for (const Sha256& digest :
       unlink_replaced(sources, merged, [&](const Sha256& asked) { return position_of(asked) != stubborn; }))
    positions.push_back(position_of(digest));
  return positions;
}

TEST(UnlinkReplaced, OnlyWhatIsWhollyInAHigherGenerationGoesTheLastNameFirst) {
  const auto sources = sources_by_name({{1}, {2, 3}, {4}});
  EXPECT_THAT(unlinked(sources, {merged_of({1, 2, 3, 4}, 1)}), ElementsAre(2U, 1U, 0U));
  EXPECT_THAT(unlinked(sources, {merged_of({1, 2}, 1), merged_of({3}, 1)}), ElementsAre(1U, 0U))
      << "in two segments together";
  EXPECT_THAT(unlinked(sources, {merged_of({1, 2, 4}, 1)}), ElementsAre(2U, 0U)) << "row 3 is nowhere else";
  EXPECT_THAT(unlinked(sources, {}), IsEmpty()) << "nothing was published";
}

// Two compactions at once: each finds the segments of the other. If both could unlink what is as high as
// their own, each would take the other's for what stands (B1).
TEST(UnlinkReplaced, NothingOfTheSameOrAHigherGenerationGoes) {
  auto sources = sources_by_name({{1}, {2}});
  sources[0].header.generation = 1;
  sources[1].header.generation = 2;
  EXPECT_THAT(unlinked(sources, {merged_of({1, 2}, 1)}), IsEmpty());
  EXPECT_THAT(unlinked(sources, {merged_of({1, 2}, 2)}), ElementsAre(0U));
}

TEST(UnlinkReplaced, ASegmentThatStaysKeepsThoseBeforeItThatShareAKey) {
  const auto sources = sources_by_name({{1, 2}, {3}, {2, 4}});
  const std::vector<MergedSegment> merged{merged_of({1, 2, 3, 4}, 1)};
  EXPECT_THAT(unlinked(sources, merged, 2), ElementsAre(1U))
      << "or row 2 of the last one would begin to count";
  EXPECT_THAT(unlinked(sources, merged, 0), ElementsAre(2U, 1U)) << "the first one's row counted before";
}

/// A compaction between its publishing and its unlinking.
struct HalfDone {
  std::vector<SourceSegment> sources;
  std::vector<MergedSegment> published;
};

bool is_on(const std::vector<SourceSegment>& disk, const Sha256& digest) {
  return std::any_of(disk.begin(), disk.end(),
                     [&](const SourceSegment& there) { return there.digest == digest; });
}

/// Publishes what `plan` merges of the sources that are still on `disk`. @param name  of the next segment
HalfDone publish(const CompactionPlan& plan, std::vector<SourceSegment>& disk, int& name) {
  HalfDone result{plan.sources, {}};
  for (const CompactionPlan::Merged& merged : plan.merged) {
    SourceSegment whole = source_of(name++, {});
    whole.header.generation = plan.generation;
    for (const CompactionPlan::Row& row : merged.rows) {
      const SourceSegment& from = plan.sources[static_cast<std::size_t>(row.source)];
      if (!is_on(disk, from.digest)) continue;
      whole.header.keys.push_back(from.header.keys[static_cast<std::size_t>(row.row)]);
      whole.header.nonzeros.push_back(50);
    }
    if (whole.header.keys.empty()) continue;
    disk.push_back(whole);
    result.published.push_back({whole.digest, {}, whole.header});
  }
  return result;
}

std::set<Sha256> keys_on(const std::vector<SourceSegment>& disk) {
  std::set<Sha256> keys;
  for (const SourceSegment& there : disk) keys.insert(there.header.keys.begin(), there.header.keys.end());
  return keys;
}

// The invariant of compaction_plan.hpp: compactions plan from what was on disk at any time, publish, and
// unlink at any later time or never.
TEST(UnlinkReplaced, LosesNoRowHoweverManyCompactAtOnce) {
  EXPECT_TRUE(rc::check([] {
    int name = 0;
    std::vector<SourceSegment> disk;
    while (name < 6) {
      const auto drawn = *rc::gen::container<std::vector<int>>(4, rc::gen::inRange(0, 8));
      const std::set<int> images(drawn.begin(), drawn.end());
      disk.push_back(source_of(name++, {images.begin(), images.end()}));
    }
    const std::set<Sha256> wanted = keys_on(disk);
    std::vector<std::vector<SourceSegment>> seen{disk};
    std::vector<HalfDone> half_done;
    for (int turn = 0; turn < 12; ++turn) {
      if (half_done.empty() || *rc::gen::arbitrary<bool>()) {
        half_done.push_back(
            publish(plan_compaction(seen[*rc::gen::inRange<std::size_t>(0, seen.size())], 1000), disk, name));
      } else {
        const auto which = *rc::gen::inRange<std::size_t>(0, half_done.size());
        unlink_replaced(half_done[which].sources, half_done[which].published, [&](const Sha256& digest) {
          std::erase_if(disk, [&](const SourceSegment& there) { return there.digest == digest; });
          return true;
        });
        half_done.erase(half_done.begin() + static_cast<std::ptrdiff_t>(which));
      }
      seen.push_back(disk);
      RC_ASSERT(keys_on(disk) == wanted);
    }
  }));
}

}  // namespace
}  // namespace headstart
