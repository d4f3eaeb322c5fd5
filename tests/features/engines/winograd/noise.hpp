// tests/features/engines/winograd/noise.hpp: made-up arrays for the convolutions, and how far a result is
// off.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "features/network/weights.hpp"

namespace headstart::winograd {

inline std::vector<float> noise(std::size_t count, unsigned seed, float low) {
  std::minstd_rand random(seed + 1);
  std::uniform_real_distribution<float> value(low, 1.0F);
  std::vector<float> values(count);
  for (float& v : values) v = value(random);
  return values;
}

inline ConvolutionWeights made_up_weights(int in, int out) {
  return {noise(static_cast<std::size_t>(9 * in * out), 1, -1.0F),
          noise(static_cast<std::size_t>(out), 2, -1.0F)};
}

/// What nothing may read.
inline void fill_with_nan(std::span<float> floats) {
  std::ranges::fill(floats, std::numeric_limits<float>::quiet_NaN());
}

inline double relative_error(std::span<const float> found, const std::vector<double>& expected) {
  EXPECT_EQ(found.size(), expected.size());
  double difference = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(static_cast<double>(found[i]) - expected[i], 2);
    norm += expected[i] * expected[i];
  }
  return std::sqrt(difference / norm);
}

}  // namespace headstart::winograd
