// features/engines/winograd/map_copy.cpp
#include "features/engines/winograd/map_copy.hpp"

#include <algorithm>

namespace headstart::winograd {
namespace {

/// Writes the zeros at both ends of a row whose pixels begin at `first`.
void store_zeros_around(float* first, const ActivationMap& map) {
  std::fill_n(first - kBlock, kBlock, 0.0F);
  std::fill_n(first + static_cast<std::size_t>(map.shape.width) * kBlock, map.zeros_after() * kBlock, 0.0F);
}

}  // namespace

void read_channels_last(const float* from, std::size_t images, const ActivationMap& map, float* to,
                        Workspace& workspace) {
  const auto width = static_cast<std::size_t>(map.shape.width);
  const auto height = static_cast<std::size_t>(map.shape.height);
  const auto channels = static_cast<std::size_t>(map.shape.channels);
  workspace.for_each(images * height, [&](std::size_t task, float*) {
    const float* const pixels = from + task * width * channels;
    for (std::size_t block = 0; block < map.blocks(); ++block) {
      float* const row = to + map.pixel(task / height, task % height, 0) + block * map.block_stride();
      for (std::size_t x = 0; x < width; ++x) {
        std::copy_n(pixels + x * channels + block * kBlock, kBlock, row + x * kBlock);
      }
      store_zeros_around(row, map);
    }
  });
}

void write_channels_last(const float* from, std::size_t images, const ActivationMap& map, float* to,
                         Workspace& workspace) {
  const auto width = static_cast<std::size_t>(map.shape.width);
  const auto height = static_cast<std::size_t>(map.shape.height);
  const auto channels = static_cast<std::size_t>(map.shape.channels);
  workspace.for_each(images * height, [&](std::size_t task, float*) {
    float* const pixels = to + task * width * channels;
    for (std::size_t block = 0; block < map.blocks(); ++block) {
      const float* const row = from + map.pixel(task / height, task % height, 0) + block * map.block_stride();
      for (std::size_t x = 0; x < width; ++x) {
        std::copy_n(row + x * kBlock, kBlock, pixels + x * channels + block * kBlock);
      }
    }
  });
}

void max_pool(const Kernels& kernels, const float* from, std::size_t images, const ActivationMap& source,
              const ActivationMap& pooled, float* to, Workspace& workspace) {
  const auto width = static_cast<std::size_t>(pooled.shape.width);
  const auto height = static_cast<std::size_t>(pooled.shape.height);
  workspace.for_each(images * height, [&](std::size_t task, float*) {
    const std::size_t image = task / height;
    const std::size_t y = task % height;
    for (std::size_t block = 0; block < pooled.blocks(); ++block) {
      const float* const above = from + source.pixel(image, 2 * y, 0) + block * source.block_stride();
      float* const row = to + pooled.pixel(image, y, 0) + block * pooled.block_stride();
      kernels.pool_row({.rows = {above, above + source.row_stride()}, .columns = width, .destination = row});
      store_zeros_around(row, pooled);
    }
  });
}

}  // namespace headstart::winograd
