// tests/pipeline/options/stage_one_options_test.cpp
#include "pipeline/options/stage_one_options.hpp"

#include <gtest/gtest.h>

namespace headstart {
namespace {

TEST(RejectLimit, ReadsANumberOfImages) {
  const auto limit = parse_reject_limit("12");
  ASSERT_TRUE(limit);
  EXPECT_FALSE(limit->exceeded(12, 20));
  EXPECT_TRUE(limit->exceeded(13, 1000));
}

TEST(RejectLimit, ReadsAShare) {
  const auto limit = parse_reject_limit("5%");
  ASSERT_TRUE(limit);
  EXPECT_FALSE(limit->exceeded(5, 100));
  EXPECT_TRUE(limit->exceeded(6, 100));
}

TEST(RejectLimit, ZeroAllowsNone) {
  const auto limit = parse_reject_limit("0");
  ASSERT_TRUE(limit);
  EXPECT_FALSE(limit->exceeded(0, 5));
  EXPECT_TRUE(limit->exceeded(1, 5));
}

TEST(RejectLimit, RefusesEverythingElse) {
  for (const char* text : {"", "%", "-1", "101%", "1.5", "5 %", "five", "nan", "5%%", "inf"}) {
    EXPECT_FALSE(parse_reject_limit(text)) << text;
  }
}

}  // namespace
}  // namespace headstart
