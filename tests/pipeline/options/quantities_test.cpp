// tests/pipeline/options/quantities_test.cpp
#include "pipeline/options/quantities.hpp"

#include <gtest/gtest.h>

namespace headstart {
namespace {

TEST(Quantities, DurationsHaveAUnit) {
  EXPECT_EQ(parse_duration("45s"), 45);
  EXPECT_EQ(parse_duration("90m"), 5400);
  EXPECT_EQ(parse_duration("1.5h"), 5400);
  EXPECT_EQ(parse_duration("30d"), 30 * 86'400);
  EXPECT_EQ(parse_duration("2w"), 14 * 86'400);
  EXPECT_EQ(parse_duration("0s"), 0);
  for (const char* wrong :
       {"", "30", "d", "-1d", "1D", "1 d", "1dd", "nand", "inf", "1e3s", "99999999999999999w"})
    EXPECT_EQ(parse_duration(wrong), std::nullopt) << wrong;
}

TEST(Quantities, BytesAreDecimalAsTheyAreShown) {
  EXPECT_EQ(parse_bytes("1500"), 1500U);
  EXPECT_EQ(parse_bytes("0"), 0U);
  EXPECT_EQ(parse_bytes("500MB"), 500'000'000U);
  EXPECT_EQ(parse_bytes("20G"), 20'000'000'000U);
  EXPECT_EQ(parse_bytes("1.5TB"), 1'500'000'000'000U);
  EXPECT_EQ(parse_bytes("7kB"), 7000U);
  for (const char* wrong : {"", "GB", "-1", "1GiB", "1 GB", "1gb", "x", "1e30"})
    EXPECT_EQ(parse_bytes(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace headstart
