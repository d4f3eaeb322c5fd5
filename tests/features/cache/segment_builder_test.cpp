// tests/features/cache/segment_builder_test.cpp
#include "features/cache/segment_builder.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "tests/features/cache/cache_workplace.hpp"
#include "tests/features/cache/made_up_segment.hpp"

namespace headstart {
namespace {

using test::keys_of;
using test::made_up_key;

TEST(SegmentBuilder, ASegmentIsDueWhenItIsLargeOrOld) {
  const auto now = [] { return std::chrono::steady_clock::now(); };
  SegmentBuilder builder(Tap{"block5_pool"}, {64, 64, 512}, {"engine", "1", "0.1", "host"});
  EXPECT_TRUE(builder.empty());
  EXPECT_FALSE(builder.due(now() + std::chrono::hours(1)));        // nothing is never due
  const std::vector<float> row(std::size_t{64} * 64 * 512, 1.0F);  // 16 MiB of entries
  builder.append(made_up_key(1), row);
  EXPECT_FALSE(builder.empty());
  EXPECT_FALSE(builder.due(now()));
  EXPECT_TRUE(builder.due(now() + SegmentBuilder::kMaxAge));
  for (int image = 2; image <= 4; ++image) builder.append(made_up_key(image), row);
  EXPECT_TRUE(builder.due(now()));
  const Segment segment = builder.take();
  EXPECT_EQ(segment.keys, keys_of({1, 2, 3, 4}));
  EXPECT_EQ(segment.rows.rows(), 4U);
  EXPECT_EQ(segment.origin.engine, "engine");
  EXPECT_TRUE(builder.empty());
  EXPECT_FALSE(builder.due(now() + SegmentBuilder::kMaxAge));
  builder.append(made_up_key(5), row);
  EXPECT_EQ(builder.take().keys, keys_of({5}));
}

}  // namespace
}  // namespace headstart
