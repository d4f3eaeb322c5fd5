// features/engines/winograd/tiles.cpp
#include "features/engines/winograd/tiles.hpp"

#include <algorithm>

namespace headstart::winograd {

void transform_tiles(const TileTransform& transform, Range tiles, Range blocks) {
  constexpr std::size_t kMaxRun = 64;
  TilePlace places[kMaxRun];
  const TileGrid& grid = transform.grid;
  const TileParts& parts = transform.parts;
  std::size_t part = tiles.begin * parts.parts / parts.tiles;
  for (std::size_t i = tiles.begin; i < tiles.end;) {
    const std::size_t column = (transform.first_tile + i) % grid.columns;
    const std::size_t row = (transform.first_tile + i) / grid.columns % grid.rows;
    const std::size_t image = (transform.first_tile + i) / grid.per_image();
    InputRun run{.tiles = std::min({grid.columns - column, tiles.end - i, kMaxRun}),
                 .blocks = blocks.end - blocks.begin,
                 .places = places,
                 .point_stride = transform.point_stride};
    for (std::size_t tile = 0; tile < run.tiles; ++tile, ++i) {
      while (i >= parts.first(part + 1)) ++part;
      const std::size_t first = parts.first(part);
      const std::size_t count = parts.first(part + 1) - first;
      places[tile] = {
          transform.transformed + (first * transform.blocks + blocks.begin * count + i - first) * kBlock,
          count * kBlock};
    }
    for (std::size_t y = 0; y < grid.outputs + 2 * transform.border; ++y) {
      const std::size_t from = row * grid.outputs + y - transform.border;  // wraps around above the map
      const bool inside = from < transform.height;
      run.block_step[y] = inside ? static_cast<std::ptrdiff_t>(transform.source.block_stride) : 0;
      run.rows[y] = (inside ? transform.source.row(image, from) : transform.source.zeros) +
                    (column * grid.outputs + 1 - transform.border) * kBlock +
                    static_cast<std::ptrdiff_t>(blocks.begin) * run.block_step[y];
    }
    transform.kernel(run);
  }
}

}  // namespace headstart::winograd
