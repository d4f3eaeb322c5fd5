// tests/features/cache/segment_set_test.cpp
#include "features/cache/segment_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "features/cache/segment_index.hpp"
#include "tests/features/cache/made_up_segment.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

using test::made_up_key;
using test::ScratchFolder;
using ::testing::SizeIs;
using Medium = SegmentSet::Medium;

IndexedSegment named(int name) {
  return {sha256("segment " + std::to_string(name)), FileStamp{.bytes = 100}};
}

/// Adds a segment with the rows of these images.
std::int32_t add(SegmentSet& set, int name, const std::vector<int>& images, Medium medium = Medium::kFile) {
  std::vector<Sha256> keys;
  for (const int image : images) keys.push_back(made_up_key(image));
  return set.add(named(name), medium, keys, std::vector<std::int32_t>(images.size(), 7));
}

TEST(SegmentSet, TheFirstNameCountsUntilItIsDropped) {
  SegmentSet set;
  const std::int32_t a = add(set, 1, {1, 2});
  const std::int32_t b = add(set, 2, {2, 3});
  const std::int32_t first = named(1).digest < named(2).digest ? a : b;
  EXPECT_EQ(set.keys(), 3U);
  EXPECT_EQ(set.find(made_up_key(2))->segment, first);
  set.drop({&first, 1});
  EXPECT_EQ(set.find(made_up_key(2))->segment, first == a ? b : a);
  EXPECT_EQ(set.keys(), 2U);
  EXPECT_FALSE(set.find(made_up_key(first == a ? 1 : 3)));
}

TEST(SegmentSet, WhatIsOnlyInMemoryIsFoundAndIsNotOnDisk) {
  SegmentSet set;
  add(set, 1, {1, 2}, Medium::kMemory);
  add(set, 2, {2, 3});
  EXPECT_EQ(set.keys(), 3U);
  EXPECT_FALSE(set.file(named(1).digest));
  EXPECT_TRUE(set.file(named(2).digest));
  const SegmentTable table = set.table();
  EXPECT_THAT(table.segments, SizeIs(1));
  EXPECT_THAT(table.rows, SizeIs(2)) << "image 2 is there whichever row of it counts here";
  EXPECT_EQ(set.files_below(101), 1U);
  EXPECT_EQ(set.files_below(100), 0U);
}

TEST(SegmentSet, AFileThatIsAddedTwiceIsOneFile) {
  SegmentSet set;
  const std::int32_t number = add(set, 1, {1, 2});
  EXPECT_EQ(add(set, 1, {1, 2}), number);
  EXPECT_EQ(set.size(), 1U);
  EXPECT_THAT(set.table().rows, SizeIs(2));
}

/// The set that begins with an index of these segments.
SegmentSet indexed(const std::vector<std::pair<int, std::vector<int>>>& segments) {
  SegmentSet first;
  for (const auto& [name, images] : segments) add(first, name, images);
  const ScratchFolder folder;
  SegmentTable table = first.table();
  EXPECT_EQ(SegmentIndex::write(folder.path(), table.segments, std::move(table.rows)), std::nullopt);
  return SegmentSet(SegmentIndex::read(folder.path()));
}

TEST(SegmentSet, WhatOnlyTheIndexSaidCanBeForgotten) {
  SegmentSet set = indexed({{1, {1, 2}}, {2, {3}}});
  EXPECT_FALSE(set.has_news());
  const std::int32_t read = add(set, 2, {3, 4});  // as its header says
  const std::int32_t memory = add(set, 3, {5}, Medium::kMemory);
  set.forget_index();
  EXPECT_FALSE(set.file(named(1).digest));
  EXPECT_FALSE(set.find(made_up_key(1)));
  EXPECT_EQ(set.file(named(2).digest), read);
  EXPECT_EQ(set.find(made_up_key(3))->segment, read);
  EXPECT_EQ(set.find(made_up_key(5))->segment, memory) << "numbers stay";
  EXPECT_EQ(set.keys(), 3U);
  EXPECT_THAT(set.table().rows, SizeIs(2));
  EXPECT_TRUE(set.has_news());
  add(set, 1, {1});
  EXPECT_TRUE(set.find(made_up_key(1)));
}

TEST(SegmentSet, AHeaderCountsMoreThanTheIndex) {
  SegmentSet set = indexed({{1, {1, 9}}});
  add(set, 1, {1, 2});
  EXPECT_TRUE(set.find(made_up_key(2)));
  EXPECT_FALSE(set.find(made_up_key(9))) << "which the index had made up";
  EXPECT_THAT(set.table().segments, SizeIs(1));
}

TEST(SegmentSet, IsNewsWhereItIsNotWhatTheIndexSaid) {
  SegmentSet set;
  EXPECT_FALSE(set.has_news());
  const std::int32_t number = add(set, 1, {1});
  EXPECT_TRUE(set.has_news());
  set.drop({&number, 1});
  EXPECT_TRUE(set.has_news());
}

}  // namespace
}  // namespace headstart
