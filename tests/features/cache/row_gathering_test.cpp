// tests/features/cache/row_gathering_test.cpp
#include "features/cache/row_gathering.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/features/cache/cache_workplace.hpp"
#include "tests/features/cache/made_up_segment.hpp"

namespace headstart {
namespace {

using test::keys_of;
using test::made_up_segment;
using test::rows_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Where row `row` of `segment`, which has that number, is.
SegmentSet::Place place_in(std::int32_t number, const Segment& segment, std::int32_t row) {
  return {number, row, segment.rows.counts()[static_cast<std::size_t>(row)]};
}

TEST(RowGathering, TakesEachSegmentOnceAndKeepsTheOrderOfTheKeys) {
  const Segment first = made_up_segment({1, 2});
  const Segment second = made_up_segment({3, 4});
  const std::vector<Sha256> keys = keys_of({4, 1, 3, 4});
  RowGathering gathering(
      keys, {place_in(7, second, 1), place_in(2, first, 0), place_in(7, second, 0), place_in(7, second, 1)},
      test::kWorkplaceColumns);
  EXPECT_THAT(gathering.segments(), ElementsAre(2, 7));
  EXPECT_TRUE(gathering.take(7, second));
  EXPECT_TRUE(gathering.take(2, first));
  EXPECT_EQ(gathering.rows(), rows_of({4, 1, 3, 4}));
}

TEST(RowGathering, OfNoKeysHasNoSegmentAndNoRow) {
  RowGathering gathering({}, {}, test::kWorkplaceColumns);
  EXPECT_THAT(gathering.segments(), IsEmpty());
  EXPECT_EQ(gathering.rows(), rows_of({}));
}

TEST(RowGathering, TakesNoRowThatIsNotWhereItsPlaceSays) {
  const Segment segment = made_up_segment({1, 2});
  const std::vector<Sha256> keys = keys_of({2});
  const SegmentSet::Place right = place_in(0, segment, 1);
  const auto takes = [&](const SegmentSet::Place& place) {
    RowGathering gathering(keys, {place}, test::kWorkplaceColumns);
    return gathering.take(0, segment);
  };
  EXPECT_TRUE(takes(right));
  EXPECT_FALSE(takes({0, 0, right.nonzeros})) << "another key's row";
  EXPECT_FALSE(takes({0, 2, right.nonzeros})) << "there is no such row";
  EXPECT_FALSE(takes({0, 1, right.nonzeros + 1}));
}

}  // namespace
}  // namespace headstart
