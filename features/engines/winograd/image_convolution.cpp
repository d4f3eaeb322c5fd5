// features/engines/winograd/image_convolution.cpp
#include "features/engines/winograd/image_convolution.hpp"

#include <algorithm>
#include <utility>

namespace headstart::winograd {

ImageConvolution::ImageConvolution(const Kernels& kernels, const ConvolutionWeights& weights, int images,
                                   int size, Convolution next, const ActivationMap& between)
    : kernels_(kernels),
      images_(static_cast<std::size_t>(images)),
      size_(static_cast<std::size_t>(size)),
      next_(std::move(next)),
      between_(between),
      ring_rows_(next_.tile_inputs()),
      weights_(weights.kernel.size()),
      bias_(weights.bias.size()) {
  std::ranges::copy(weights.bias, bias_.span().begin());
  const std::size_t out = weights.bias.size();
  for (std::size_t tap = 0; tap < 27; ++tap) {
    for (std::size_t k = 0; k < out; ++k) {
      const std::size_t group = k / kernels_.outputs;
      weights_.span()[(group * 27 + tap) * kernels_.outputs + k % kernels_.outputs] =
          weights.kernel[tap * out + k];
    }
  }
}

WorkspaceSize ImageConvolution::workspace() const noexcept {
  WorkspaceSize size = next_.workspace();
  size.per_thread += between_.blocks() * ring_rows_ * between_.row_stride() + 3 * (padded_row() + kBlock);
  return size;
}

void ImageConvolution::run(const float* batch, float* destination, Workspace& workspace) const {
  // Strips of a few rows of tiles make enough tasks. Each strip repeats two rows of its neighbours.
  constexpr std::size_t kTileRowsAtOnce = 5;
  const std::size_t tile_rows = next_.tile_rows();
  const std::size_t strips = std::min(
      std::max((tile_rows + kTileRowsAtOnce - 1) / kTileRowsAtOnce, 2 * workspace.threads() / images_),
      tile_rows);
  const std::size_t ring_size = between_.blocks() * ring_rows_ * between_.row_stride();
  const std::size_t scratch_size = next_.workspace().per_thread;
  const std::size_t tile_outputs = ring_rows_ - 2;
  workspace.for_each(images_ * strips, [&](std::size_t task, float* scratch) {
    const std::size_t image = task / strips;
    const std::size_t strip = task % strips;
    float* const ring = scratch + scratch_size;
    float* const padded = ring + ring_size;
    // Clears the columns of zeros, because the memory may hold another task's values.
    for (std::size_t row = 0; row < between_.blocks() * ring_rows_; ++row) {
      float* const first = ring + row * between_.row_stride();
      std::fill_n(first, kBlock, 0.0F);
      std::fill_n(first + (1 + size_) * kBlock, between_.zeros_after() * kBlock, 0.0F);
    }
    const SourceRows rows{.data = ring,
                          .block_stride = ring_rows_ * between_.row_stride(),
                          .row_stride = between_.row_stride(),
                          .stored_rows = ring_rows_,
                          .zeros = workspace.zeros()};
    const std::size_t first = strip * tile_rows / strips;
    const std::size_t last = (strip + 1) * tile_rows / strips;
    std::size_t next_row = first * tile_outputs - std::min<std::size_t>(first, 1);
    for (std::size_t tile_row = first; tile_row < last; ++tile_row) {
      const std::size_t end = std::min(size_, tile_row * tile_outputs + ring_rows_ - 1);
      for (; next_row < end; ++next_row)
        convolve_row(batch + image * size_ * size_ * 3, next_row, padded, ring);
      next_.run_tile_row(rows, image, tile_row, destination, scratch);
    }
  });
}

void ImageConvolution::convolve_row(const float* image, std::size_t y, float* padded, float* ring) const {
  ImageRow row{.weights = weights_.span().data(),
               .bias = bias_.span().data(),
               .columns = size_,
               .out_channels = bias_.span().size(),
               .destination = ring + y % ring_rows_ * between_.row_stride() + kBlock,
               .block_stride = ring_rows_ * between_.row_stride()};
  for (std::size_t i = 0; i < 3; ++i, padded += padded_row()) {
    const std::size_t from = y + i - 1;  // wraps around above the image
    std::fill_n(padded, 3, 0.0F);
    if (from < size_) {
      std::copy_n(image + from * size_ * 3, size_ * 3, padded + 3);
    } else {
      std::fill_n(padded + 3, size_ * 3, 0.0F);
    }
    std::fill_n(padded + 3 + size_ * 3, 3, 0.0F);
    row.rows[i] = padded;
  }
  kernels_.convolve_image_row(row);
}

}  // namespace headstart::winograd
