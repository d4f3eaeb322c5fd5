// data/image/float_rows.hpp: weighted sums of pixels in float32, never rounded to bytes: what
// fixed_point_rows.hpp does for Pillow, for methods that compute in float.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "data/image/resampling_filter.hpp"

namespace headstart {

[[nodiscard]] LineWeights<float> in_float(const LineWeights<double>& weights);

/// Sums along a row of RGB.
/// @param row  [pixels, 3]: the pixels that `weights` was made for
/// @param out  [count, 3]
void sum_columns(std::span<const std::uint8_t> row, const LineWeights<float>& weights, std::span<float> out);

/// Sums down the columns of as many rows as there are weights.
/// @param rows    row y begins at y * stride
/// @param out     as many values as a row has
void sum_rows(std::span<const float> rows, std::size_t stride, std::span<const float> weights,
              std::span<float> out);

}  // namespace headstart
