// data/image/resampling.cpp: see resampling.hpp. Each row of the image is summed along x once, in the order
// of memory, into a ring of as many rows as one result row needs. A result row is then a sum down the ring.
#include "data/image/resampling.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/image/fixed_point_rows.hpp"
#include "data/image/float_rows.hpp"

namespace headstart {
namespace {

/// Some columns of an image.
struct ImageColumns {
  std::span<const std::uint8_t> pixels;  // the first row's first of them, up to the end of the image
  std::size_t stride = 0;                // of the image
  std::size_t row_size = 0;              // of the columns, as is `stride`: in bytes

  [[nodiscard]] std::span<const std::uint8_t> from_row(std::size_t y) const {
    return pixels.subspan(y * stride);
  }
  [[nodiscard]] std::span<const std::uint8_t> row(std::size_t y) const { return from_row(y).first(row_size); }
};

/// The columns that have a weight, which then counts from the first of them.
ImageColumns take_columns(const RgbImage& image, LineWeights<double>& weights) {
  const std::size_t begin = weights.first.front();
  const std::size_t count = weights.first.back() + weights.taps - begin;
  for (std::size_t& first : weights.first) first -= begin;
  return {std::span(image.pixels).subspan(begin * kRgbChannels),
          static_cast<std::size_t>(image.width) * kRgbChannels, count * kRgbChannels};
}

/// Along x, then along y. Each row of the image is summed along x once, in the order of memory, into a ring
/// of as many rows as one result row needs.
/// @tparam Value  of a sum
template <typename Value, typename Columns, typename Weight>
void sum_columns_first(const ImageColumns& image, const Columns& columns, const LineWeights<Weight>& rows,
                       std::span<float> out) {
  const std::size_t stride = out.size() / rows.first.size();
  std::vector<Value> ring(rows.taps * stride);  // row y of the image at y mod taps
  std::vector<Weight> turned(rows.taps);        // as the ring is
  std::vector<Value> result(stride);
  std::size_t next = 0;
  for (std::size_t i = 0; i < rows.first.size(); ++i) {
    const std::size_t first = rows.first[i];
    const std::size_t end = first + rows.taps;
    for (std::size_t y = std::max(next, first); y < end; ++y)
      sum_columns(image.row(y), columns, std::span(ring).subspan(y % rows.taps * stride, stride));
    next = end;
    for (std::size_t t = 0; t < rows.taps; ++t)
      turned[(first + t) % rows.taps] = rows.weights[i * rows.taps + t];
    sum_rows(ring, stride, turned, result);
    std::copy(result.begin(), result.end(), out.subspan(i * stride).begin());
  }
}

/// Along y, then along x.
void sum_rows_first(const ImageColumns& image, const ColumnWeights& columns,
                    const LineWeights<std::int32_t>& rows, std::span<float> out) {
  const std::size_t stride = out.size() / rows.first.size();
  std::vector<std::uint8_t> row(image.row_size);
  std::vector<std::uint8_t> result(stride);
  for (std::size_t i = 0; i < rows.first.size(); ++i) {
    sum_rows(image.from_row(rows.first[i]), image.stride,
             std::span(rows.weights).subspan(i * rows.taps, rows.taps), row);
    sum_columns(row, columns, result);
    std::copy(result.begin(), result.end(), out.subspan(i * stride).begin());
  }
}

/// Whether Pillow sums along y first. Both orders round differently. Versions before 13 never did.
bool pillow_sums_rows_first(const ScaledLine& across, const ScaledLine& down) {
  return down.in > down.scaled && down.in - down.scaled > 2 * (across.in - across.scaled);
}

void take_nearest(const RgbImage& image, const ScaledLine& across, const ScaledLine& down,
                  std::span<float> out) {
  const std::size_t stride = static_cast<std::size_t>(image.width) * kRgbChannels;
  const std::vector<std::size_t> columns = nearest_pixels(across);
  float* result = out.data();
  for (const std::size_t y : nearest_pixels(down)) {
    const std::span<const std::uint8_t> row = std::span(image.pixels).subspan(y * stride, stride);
    for (const std::size_t x : columns) {
      for (std::size_t channel = 0; channel < kRgbChannels; ++channel)
        *result++ = static_cast<float>(row[x * kRgbChannels + channel]);
    }
  }
}

}  // namespace

void resample(const RgbImage& image, const ScaledSquare& square, const Resampling& resampling,
              std::span<float> out) {
  assert(image.height >= 1 && image.width >= 1 && square.size >= 1);
  assert(out.size() ==
         static_cast<std::size_t>(square.size) * static_cast<std::size_t>(square.size) * kRgbChannels);
  const ScaledLine across{image.width, square.width, square.left, square.size};
  const ScaledLine down{image.height, square.height, square.top, square.size};
  if (resampling.filter == Interpolation::kNearest) return take_nearest(image, across, down, out);
  LineWeights<double> columns = filter_weights(across, resampling.filter, resampling.antialias);
  const LineWeights<double> rows = filter_weights(down, resampling.filter, resampling.antialias);
  const ImageColumns pixels = take_columns(image, columns);
  if (!resampling.antialias) {
    sum_columns_first<float>(pixels, in_float(columns), in_float(rows), out);
  } else if (pillow_sums_rows_first(across, down)) {
    sum_rows_first(pixels, in_pairs(fixed_point(columns)), fixed_point(rows), out);
  } else {
    sum_columns_first<std::uint8_t>(pixels, in_pairs(fixed_point(columns)), fixed_point(rows), out);
  }
}

}  // namespace headstart
