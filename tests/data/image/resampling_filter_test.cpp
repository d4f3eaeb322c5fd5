// tests/data/image/resampling_filter_test.cpp
#include "data/image/resampling_filter.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace headstart {
namespace {

/// Part of a line of any length, scaled to any length.
ScaledLine any_line() {
  ScaledLine line;
  line.in = *rc::gen::inRange(1, 2'000);
  line.scaled = *rc::gen::inRange(1, 2'000);
  line.first = *rc::gen::inRange<std::int64_t>(0, line.scaled);
  line.count = *rc::gen::inRange(1, static_cast<int>(line.scaled - line.first) + 1);
  return line;
}

RC_GTEST_PROP(FilterWeights, SumToOneWithinTheLine, ()) {
  const ScaledLine line = any_line();
  for (const auto filter : {Interpolation::kBilinear, Interpolation::kBicubic}) {
    for (const bool antialias : {false, true}) {
      const LineWeights<double> weights = filter_weights(line, filter, antialias);
      RC_ASSERT(weights.first.size() == static_cast<std::size_t>(line.count));
      RC_ASSERT(weights.weights.size() == weights.first.size() * weights.taps);
      RC_ASSERT(std::is_sorted(weights.first.begin(), weights.first.end()));
      RC_ASSERT(weights.first.back() + weights.taps <= static_cast<std::size_t>(line.in));
      for (auto row = weights.weights.begin(); row != weights.weights.end();) {
        const auto end = row + static_cast<std::ptrdiff_t>(weights.taps);
        // Without antialias they are float32, and bicubic subtracts numbers of up to 6.
        RC_ASSERT(std::abs(std::accumulate(row, end, 0.0) - 1.0) < (antialias ? 1e-12 : 5e-6));
        row = end;
      }
    }
  }
}

RC_GTEST_PROP(FilterWeights, OfAPartAreThoseOfTheWhole, ()) {
  const ScaledLine part = any_line();
  const ScaledLine whole{part.in, part.scaled, 0, static_cast<int>(part.scaled)};
  const auto filter = *rc::gen::element(Interpolation::kBilinear, Interpolation::kBicubic);
  const bool antialias = *rc::gen::arbitrary<bool>();
  const auto dense = [&](const LineWeights<double>& weights, std::int64_t i) {
    std::vector<double> row(static_cast<std::size_t>(part.in));
    const auto from = weights.weights.begin() + i * static_cast<std::ptrdiff_t>(weights.taps);
    std::copy_n(from, weights.taps,
                row.begin() + static_cast<std::ptrdiff_t>(weights.first[static_cast<std::size_t>(i)]));
    return row;
  };
  const LineWeights<double> few = filter_weights(part, filter, antialias);
  const LineWeights<double> all = filter_weights(whole, filter, antialias);
  for (const std::int64_t i : {std::int64_t{0}, std::int64_t{part.count / 2}, std::int64_t{part.count - 1}})
    RC_ASSERT(dense(few, i) == dense(all, part.first + i));
  const std::vector<std::size_t> pixels = nearest_pixels(whole);
  const std::vector<std::size_t> some = nearest_pixels(part);
  RC_ASSERT(std::equal(some.begin(), some.end(), pixels.begin() + static_cast<std::ptrdiff_t>(part.first)));
}

TEST(FilterWeights, OfTheSameLengthTakeThePixelItself) {
  for (const auto filter : {Interpolation::kBilinear, Interpolation::kBicubic}) {
    for (const bool antialias : {false, true}) {
      const LineWeights<double> weights = filter_weights({50, 50, 0, 50}, filter, antialias);
      for (std::size_t i = 0; i < 50; ++i) {
        for (std::size_t t = 0; t < weights.taps; ++t)
          EXPECT_EQ(weights.weights[i * weights.taps + t], weights.first[i] + t == i ? 1.0 : 0.0) << i;
      }
    }
  }
}

TEST(FilterWeights, AreThoseOfTheFormulas) {
  // Half the length: pixel 1 of 4 has its centre at 3, between pixels 2 and 3.
  const ScaledLine half{8, 4, 1, 1};
  EXPECT_EQ(filter_weights(half, Interpolation::kBilinear, false).weights, (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(filter_weights(half, Interpolation::kBilinear, true).weights,
            (std::vector<double>{0.125, 0.375, 0.375, 0.125}));
  // a = -0.75 at distances 1.5 and 0.5.
  EXPECT_EQ(filter_weights(half, Interpolation::kBicubic, false).weights,
            (std::vector<double>{-0.09375, 0.59375, 0.59375, -0.09375}));
  // a = -0.5 at distances 1.75, 1.25, 0.75 and 0.25, over the sum 2. Pixel -1 lies before the line.
  const std::vector<double> cubic = filter_weights({8, 4, 1, 1}, Interpolation::kBicubic, true).weights;
  const double scale = (-0.0703125 + 0.2265625 + 0.8671875) * 2 - 0.0234375 * 1;
  ASSERT_EQ(cubic.size(), 7U);
  EXPECT_NEAR(cubic[2], 0.8671875 / scale, 1e-12);
  EXPECT_NEAR(cubic[1], 0.2265625 / scale, 1e-12);
}

TEST(NearestPixels, LieBelowTheCentres) {
  EXPECT_EQ(nearest_pixels({10, 4, 0, 4}), (std::vector<std::size_t>{1, 3, 6, 8}));
  EXPECT_EQ(nearest_pixels({2, 5, 0, 5}), (std::vector<std::size_t>{0, 0, 1, 1, 1}));
}

TEST(NearestPixels, LieWherePillowsSumEnds) {
  // The centre of pixel 24 is 24.5 * 50 / 49, which is 25. The sum of the steps ends a little below it.
  EXPECT_EQ(nearest_pixels({50, 49, 23, 3}), (std::vector<std::size_t>{23, 24, 26}));
}

TEST(NearestPixels, OfALineThatNobodyCouldStore) {
  constexpr std::int64_t kScaled = 400'000'000'000;
  const std::vector<std::size_t> pixels = nearest_pixels({100'000'000, kScaled, kScaled / 2, 3});
  EXPECT_EQ(pixels, (std::vector<std::size_t>{50'000'000, 50'000'000, 50'000'000}));
}

}  // namespace
}  // namespace headstart
