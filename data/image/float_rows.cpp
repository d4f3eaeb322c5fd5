// data/image/float_rows.cpp: see float_rows.hpp.
#include "data/image/float_rows.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>

#include "data/image/rgb_image.hpp"

namespace headstart {

LineWeights<float> in_float(const LineWeights<double>& weights) {
  return {weights.taps, weights.first, {weights.weights.begin(), weights.weights.end()}};
}

void sum_columns(std::span<const std::uint8_t> row, const LineWeights<float>& weights, std::span<float> out) {
  assert(out.size() == weights.first.size() * kRgbChannels);
  const float* weight = weights.weights.data();
  float* result = out.data();
  for (const std::size_t first : weights.first) {
    const std::uint8_t* const pixels = row.data() + first * kRgbChannels;
    for (std::size_t channel = 0; channel < kRgbChannels; ++channel) {
      float sum = 0.0F;
      for (std::size_t t = 0; t < weights.taps; ++t)
        sum += static_cast<float>(pixels[t * kRgbChannels + channel]) * weight[t];
      result[channel] = sum;
    }
    weight += weights.taps;
    result += kRgbChannels;
  }
}

void sum_rows(std::span<const float> rows, std::size_t stride, std::span<const float> weights,
              std::span<float> out) {
  assert(rows.size() >= (weights.size() - 1) * stride + out.size());
  std::fill(out.begin(), out.end(), 0.0F);
  for (std::size_t y = 0; y < weights.size(); ++y) {
    const float* const row = rows.data() + y * stride;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += row[i] * weights[y];
  }
}

}  // namespace headstart
