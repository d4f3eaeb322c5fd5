// tests/head/random_test.cpp
#include "head/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "head/seed_purpose.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

// From an independent implementation of the authors' xoshiro256starstar.c, seeded by their splitmix64.c.
TEST(RandomTest, GivesTheReferenceValuesOfXoshiro256StarStar) {
  const std::array<std::uint64_t, 4> of_zero{0x99ec5f36cb75f2b4U, 0xbf6e1f784956452aU, 0x1a5f849d4933e6e0U,
                                             0x6aa594f1262d2d2cU};
  const std::array<std::uint64_t, 4> of_42{0x15780b2e0c2ec716U, 0x6104d9866d113a7eU, 0xae17533239e499a1U,
                                           0xecb8ad4703b360a1U};
  Random zero(0);
  Random forty_two(42);
  for (const std::uint64_t expected : of_zero) EXPECT_EQ(zero.next(), expected);
  for (const std::uint64_t expected : of_42) EXPECT_EQ(forty_two.next(), expected);
}

TEST(RandomTest, UniformStaysBelowOneAndHasTheRightMoments) {
  Random random(1);
  double sum = 0.0;
  double squares = 0.0;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    const float value = random.uniform();
    ASSERT_GE(value, 0.0F);
    ASSERT_LT(value, 1.0F);
    sum += static_cast<double>(value);
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.005);            // five standard errors
  EXPECT_NEAR(squares / kDraws, 1.0 / 3.0, 0.005);  // the same
}

TEST(RandomTest, BelowIsUniformOverABoundThatDoesNotDivideTwoToThe64) {
  Random random(2);
  std::array<int, 6> counts{};
  constexpr int kDraws = 60'000;
  for (int i = 0; i < kDraws; ++i) {
    const std::uint64_t value = random.below(6);
    ASSERT_LT(value, 6U);
    ++counts[value];
  }
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 6.0, 500);
  EXPECT_EQ(random.below(1), 0U);
  // Half of all draws are refused at this bound: the loop must end and the result must stay below it.
  constexpr std::uint64_t kHard = (std::uint64_t{1} << 63U) + 1;
  for (int i = 0; i < 100; ++i) EXPECT_LT(random.below(kHard), kHard);
}

TEST(RandomTest, PurposesAndSeedsDeriveDifferentSeeds) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    for (std::uint64_t purpose = 0; purpose < 50; ++purpose) seeds.insert(derive_seed(seed, purpose));
  }
  EXPECT_EQ(seeds.size(), 2500U);
  EXPECT_EQ(derive_seed(7, 3), derive_seed(7, 3));
}

TEST(RandomTest, EveryPurposeHasASeedOfItsOwn) {
  std::set<std::uint64_t> seeds;
  for (const SeedPurpose purpose : {SeedPurpose::kShuffle, SeedPurpose::kDropout, SeedPurpose::kChunk,
                                    SeedPurpose::kLearningCurve, SeedPurpose::kFirstLayer})
    seeds.insert(derive_seed(7, purpose));
  for (std::uint64_t layer = 1; layer < 9; ++layer)
    seeds.insert(derive_seed(7, SeedPurpose::kFirstLayer, layer));
  EXPECT_EQ(seeds.size(), 5U + 8U);
  // Seeds of recorded runs: these numbers stay.
  EXPECT_EQ(derive_seed(7, SeedPurpose::kShuffle), derive_seed(7, 1));
  EXPECT_EQ(derive_seed(7, SeedPurpose::kFirstLayer, 2), derive_seed(7, 1002));
}

TEST(RandomTest, ShuffleIsAPermutationThatReachesEveryOrder) {
  std::set<std::vector<RowIndex>> orders;
  Random random(4);
  for (int i = 0; i < 2000; ++i) {
    std::vector<RowIndex> rows = all_rows(4);
    shuffle(rows, random);
    orders.insert(rows);
    std::sort(rows.begin(), rows.end());
    ASSERT_EQ(rows, all_rows(4));
  }
  EXPECT_EQ(orders.size(), 24U);
}

}  // namespace
}  // namespace headstart::test
