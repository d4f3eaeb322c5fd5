// data/image/fixed_point_rows.hpp: weighted sums of 8-bit pixels in Pillow's fixed point. A weight has 22
// bits behind the point, 32 - 8 - 2: bytes times weights fit an int32, with two bits for weights above 1 and
// below 0. The sum starts at a half, is cut to whole numbers and clipped to 0..255. Sums of integers have no
// order, so that every instruction set gives the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "data/image/resampling_filter.hpp"

namespace headstart {

/// Weights of pixels of a row, with what 16-bit instructions need.
struct ColumnWeights {
  LineWeights<std::int32_t> line;
  /// The same weights, cut in two. For taps 2p and 2p + 1 of each window: their low parts, then their high
  /// parts. [count, (taps + 1) / 2, 4]; a tap that there is not has weight 0.
  std::vector<std::int16_t> pairs;
};

/// Each weight in multiples of 2^-22, rounded to the nearest, halves away from zero.
[[nodiscard]] LineWeights<std::int32_t> fixed_point(const LineWeights<double>& weights);
[[nodiscard]] ColumnWeights in_pairs(LineWeights<std::int32_t> line);

/// Sums along a row of RGB.
/// @param row  [pixels, 3]: the pixels that `weights` was made for
/// @param out  [count, 3]
void sum_columns(std::span<const std::uint8_t> row, const ColumnWeights& weights,
                 std::span<std::uint8_t> out);

/// Sums down the columns of as many rows as there are weights.
/// @param rows    row y begins at y * stride
/// @param out     as many bytes as a row has
void sum_rows(std::span<const std::uint8_t> rows, std::size_t stride, std::span<const std::int32_t> weights,
              std::span<std::uint8_t> out);

}  // namespace headstart
