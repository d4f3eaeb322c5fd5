// tests/pipeline/process/shared_work_test.cpp: how large blocks are. That each item is given out once, by
// processes that are started together, is in shard_command_test.cpp.
#include "pipeline/process/shared_work.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace headstart {
namespace {

constexpr std::uint64_t kPlenty = 1'000'000;

TEST(NextBlock, GrowsUntilItTakesLongEnough) {
  double seconds_each = 0.05;
  std::uint64_t block = next_block(0, 0.0, kPlenty, 4);
  EXPECT_EQ(block, 64U);
  for (int i = 0; i < 10; ++i) {
    const std::uint64_t next = next_block(block, static_cast<double>(block) * seconds_each, kPlenty, 4);
    EXPECT_LE(next, 2 * block);
    block = next;
  }
  EXPECT_NEAR(static_cast<double>(block) * seconds_each, 25.0, 1.0);
}

TEST(NextBlock, ShrinksAtOnceWhereImagesTakeLonger) { EXPECT_EQ(next_block(1000, 250.0, kPlenty, 4), 100U); }

TEST(NextBlock, StaysWithinBounds) {
  EXPECT_EQ(next_block(4096, 0.0, kPlenty, 2), 4096U);  // cached files take no time
  EXPECT_EQ(next_block(16, 1e9, kPlenty, 2), 16U);
  EXPECT_EQ(next_block(16, std::numeric_limits<double>::infinity(), kPlenty, 2), 16U);
  EXPECT_EQ(next_block(0, 0.0, 0, 100), 16U);
}

// Nobody takes so much of what is left that the others wait for it.
TEST(NextBlock, TakesLessTowardsTheEnd) {
  std::uint64_t left = 10'000;
  while (left > 16) {
    const std::uint64_t block = next_block(4096, 1.0, left, 4);
    EXPECT_LE(block, std::max<std::uint64_t>(left / 8, 16)) << left;
    left -= std::min(block, left);
  }
}

TEST(WorkCounts, AddUp) {
  WorkCounts sum{1, 2, 3, 4, 5, 6};
  sum += {10, 20, 30, 40, 50, 60};
  EXPECT_EQ(sum, (WorkCounts{11, 22, 33, 44, 55, 66}));
}

}  // namespace
}  // namespace headstart
