// features/engines/winograd/activation_map.hpp: where the activations of a batch lie in memory. Each row
// begins with a column of zeros. It ends with as many zeros as the next convolution's tiles reach beyond the
// row. Rows above and below a map are not stored; for them `SourceRows` points to a row of zeros.
#pragma once

#include <cstddef>

#include "features/engines/winograd/kernels.hpp"
#include "features/engines/winograd/method.hpp"
#include "features/network/network.hpp"

namespace headstart::winograd {

/// [image][channel / 16][row][1 + width + zeros][16] floats.
struct ActivationMap {
  MapShape shape;
  std::size_t row_pixels = 0;  ///< with the zeros at both ends

  /// The input of F(outputs,3).
  [[nodiscard]] static ActivationMap before(const MapShape& shape, int outputs) noexcept {
    return {shape, tiles_across(shape.width, outputs) * static_cast<std::size_t>(outputs) + 2};
  }
  /// A map that no convolution reads.
  [[nodiscard]] static ActivationMap plain(const MapShape& shape) noexcept {
    return {shape, static_cast<std::size_t>(shape.width) + 1};
  }

  [[nodiscard]] std::size_t blocks() const noexcept {
    return static_cast<std::size_t>(shape.channels) / kBlock;
  }
  [[nodiscard]] std::size_t row_stride() const noexcept { return row_pixels * kBlock; }
  [[nodiscard]] std::size_t block_stride() const noexcept {
    return static_cast<std::size_t>(shape.height) * row_stride();
  }
  [[nodiscard]] std::size_t image_stride() const noexcept { return blocks() * block_stride(); }
  /// Floats from the start of the map to a pixel's first channel in the first channel block.
  [[nodiscard]] std::size_t pixel(std::size_t image, std::size_t row, std::size_t column) const noexcept {
    return image * image_stride() + row * row_stride() + (column + 1) * kBlock;
  }
  /// Zeros after each row's last pixel.
  [[nodiscard]] std::size_t zeros_after() const noexcept {
    return row_pixels - 1 - static_cast<std::size_t>(shape.width);
  }
};

/// The rows that a convolution reads: rows of a map, or of a ring that holds the last few rows of one image.
struct SourceRows {
  const float* data = nullptr;
  std::size_t image_stride = 0;  ///< 0 for a ring
  std::size_t block_stride = 0;
  std::size_t row_stride = 0;
  std::size_t stored_rows = 0;   ///< row y lies at y % stored_rows
  const float* zeros = nullptr;  ///< a row of zeros

  /// The rows of a map.
  [[nodiscard]] static SourceRows of(const ActivationMap& map, const float* data,
                                     const float* zeros) noexcept {
    return {data,
            map.image_stride(),
            map.block_stride(),
            map.row_stride(),
            static_cast<std::size_t>(map.shape.height),
            zeros};
  }

  /// The zero column before row `y` of an image's first channel block.
  [[nodiscard]] const float* row(std::size_t image, std::size_t y) const noexcept {
    return data + image * image_stride + y % stored_rows * row_stride;
  }
};

}  // namespace headstart::winograd
