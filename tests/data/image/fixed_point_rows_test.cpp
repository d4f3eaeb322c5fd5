// tests/data/image/fixed_point_rows_test.cpp: against sums of one pixel at a time.
#include "data/image/fixed_point_rows.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace headstart {
namespace {

std::vector<std::uint8_t> any_bytes(std::size_t count) {
  return *rc::gen::container<std::vector<std::uint8_t>>(count, rc::gen::arbitrary<std::uint8_t>());
}

/// So small that a sum of bytes stays in an int32, as it does with the weights of a filter.
std::vector<std::int32_t> any_weights(std::size_t count) {
  const auto limit = static_cast<std::int32_t>(8'000'000 / count);
  return *rc::gen::container<std::vector<std::int32_t>>(count, rc::gen::inRange(-limit / 2, limit));
}

std::uint8_t rounded(std::int64_t sum) {
  return static_cast<std::uint8_t>(std::clamp<std::int64_t>((sum + (1 << 21)) >> 22, 0, 255));
}

TEST(FixedPoint, RoundsHalvesAwayFromZero) {
  constexpr double kUnit = 1.0 / (1 << 22);
  const LineWeights<double> weights{5, {0}, {1.0, 0.5 * kUnit, -0.5 * kUnit, 1.49 * kUnit, -1.51 * kUnit}};
  EXPECT_EQ(fixed_point(weights).weights, (std::vector<std::int32_t>{1 << 22, 1, -1, 1, -2}));
}

TEST(FixedPoint, SumsRoundAndClip) {
  const auto out = [](std::int32_t weight) {
    std::vector<std::uint8_t> result(1);
    sum_rows(std::vector<std::uint8_t>{255}, 1, std::vector<std::int32_t>{weight}, result);
    return int{result[0]};
  };
  EXPECT_EQ(out(1 << 22), 255);
  EXPECT_EQ(out(5'000'000), 255);
  EXPECT_EQ(out(-(1 << 20)), 0);
  EXPECT_EQ(out(8224), 0);  // 255 * 8224 / 2^22 = 0.49999
  EXPECT_EQ(out(8225), 1);  // 0.50005
}

RC_GTEST_PROP(FixedPoint, SumsDownColumnsAreThoseOfEachPixel, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(1, 12);
  const auto size = *rc::gen::inRange<std::size_t>(1, 150);
  const std::size_t stride = size + *rc::gen::inRange<std::size_t>(0, 9);
  const std::vector<std::uint8_t> rows = any_bytes((count - 1) * stride + size);
  const std::vector<std::int32_t> weights = any_weights(count);
  std::vector<std::uint8_t> out(size);
  sum_rows(rows, stride, weights, out);
  for (std::size_t i = 0; i < size; ++i) {
    std::int64_t sum = 0;
    for (std::size_t y = 0; y < count; ++y) sum += std::int64_t{rows[y * stride + i]} * weights[y];
    RC_ASSERT(out[i] == rounded(sum));
  }
}

RC_GTEST_PROP(FixedPoint, SumsAlongARowAreThoseOfEachPixel, ()) {
  const auto pixels = *rc::gen::inRange<std::size_t>(1, 60);
  LineWeights<std::int32_t> line;
  line.taps = *rc::gen::inRange<std::size_t>(1, std::min<std::size_t>(pixels, 12) + 1);
  line.first = *rc::gen::container<std::vector<std::size_t>>(
      *rc::gen::inRange<std::size_t>(1, 30), rc::gen::inRange<std::size_t>(0, pixels - line.taps + 1));
  for (std::size_t i = 0; i < line.first.size(); ++i) {
    const std::vector<std::int32_t> weights = any_weights(line.taps);
    line.weights.insert(line.weights.end(), weights.begin(), weights.end());
  }
  const std::vector<std::uint8_t> row = any_bytes(pixels * 3);
  std::vector<std::uint8_t> out(line.first.size() * 3);
  sum_columns(row, in_pairs(line), out);
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::int64_t sum = 0;
    for (std::size_t t = 0; t < line.taps; ++t)
      sum += std::int64_t{row[(line.first[i / 3] + t) * 3 + i % 3]} * line.weights[i / 3 * line.taps + t];
    RC_ASSERT(out[i] == rounded(sum));
  }
}

}  // namespace
}  // namespace headstart
