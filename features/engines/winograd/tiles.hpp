// features/engines/winograd/tiles.hpp: the tiles of a batch of maps, numbered image by image in reading
// order. Neighbouring tiles are transformed in one run.
#pragma once

#include <cstddef>

#include "features/engines/winograd/activation_map.hpp"
#include "features/engines/winograd/kernels.hpp"

namespace headstart::winograd {

/// The tiles of each map for F(outputs,3).
struct TileGrid {
  std::size_t outputs = 0;
  std::size_t rows = 0;
  std::size_t columns = 0;

  [[nodiscard]] static TileGrid of(const MapShape& shape, int outputs) noexcept {
    return {static_cast<std::size_t>(outputs), tiles_across(shape.height, outputs),
            tiles_across(shape.width, outputs)};
  }
  [[nodiscard]] std::size_t per_image() const noexcept { return rows * columns; }
  [[nodiscard]] std::size_t points() const noexcept { return (outputs + 2) * (outputs + 2); }
};

/// From `begin` up to before `end`.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Input and output of transform_tiles().
struct TileTransform {
  void (*kernel)(const InputRun&) = nullptr;
  TileGrid grid;
  std::size_t border = 0;  ///< pixels that a tile reads around its outputs: 1 in the forward pass
  std::size_t height = 0;  ///< of a map; rows above and below are zeros
  std::size_t blocks = 0;  ///< of channels, in all
  SourceRows source;
  std::size_t first_tile = 0;  ///< the tile that is stored first
  TileParts parts;             ///< of the stored tiles
  float* transformed = nullptr;
  std::size_t point_stride = 0;
};

/// Transforms a part of the tiles, numbered from first_tile on, for a part of the channel blocks.
void transform_tiles(const TileTransform& transform, Range tiles, Range blocks);

/// Distance between arrays of `floats` floats that are read side by side. It is an odd number of cache lines,
/// because a power of two would put all arrays into the same few sets of the cache.
[[nodiscard]] constexpr std::size_t point_stride(std::size_t floats) noexcept {
  const std::size_t lines = (floats + kBlock - 1) / kBlock;
  return (lines | 1U) * kBlock;
}

}  // namespace headstart::winograd
