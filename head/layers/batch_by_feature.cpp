// head/layers/batch_by_feature.cpp: a counting sort per tile. Tiles are independent, because each tile knows
// where its entries begin.
#include "head/layers/batch_by_feature.hpp"

#include <algorithm>
#include <cstddef>

namespace headstart {

void BatchByFeature::assign(const TiledRows& matrix, std::span<const RowIndex> batch, Workers& workers) {
  std::vector<std::int64_t> tile_begins(matrix.tiles() + 1, 0);
  for (std::size_t tile = 0; tile < matrix.tiles(); ++tile) {
    std::int64_t count = 0;
    for (const RowIndex row : batch) count += static_cast<std::int64_t>(matrix.indices(row, tile).size());
    tile_begins[tile + 1] = tile_begins[tile] + count;
  }
  offsets_.resize(static_cast<std::size_t>(matrix.features().columns) + 1);
  entries_.resize(static_cast<std::size_t>(tile_begins.back()));
  workers.for_each(matrix.tiles(),
                   [&](std::size_t tile) { assign_tile(matrix, batch, tile, tile_begins[tile]); });
  offsets_.back() = tile_begins.back();
}

void BatchByFeature::assign_tile(const TiledRows& matrix, std::span<const RowIndex> batch, std::size_t tile,
                                 std::int64_t begin) {
  const std::int64_t first = matrix.first_feature(tile);
  const auto features = static_cast<std::size_t>(matrix.end_feature(tile) - first);
  const std::span<std::int64_t> starts =
      std::span(offsets_).subspan(static_cast<std::size_t>(first), features);
  std::fill(starts.begin(), starts.end(), 0);
  for (const RowIndex row : batch) {
    for (const std::int32_t index : matrix.indices(row, tile))
      ++starts[static_cast<std::size_t>(index - first)];
  }
  std::int64_t next = begin;
  for (std::int64_t& start : starts) {
    const std::int64_t count = start;
    start = next;
    next += count;
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::span<const std::int32_t> indices = matrix.indices(batch[i], tile);
    const std::span<const float> values = matrix.values(batch[i], tile);
    for (std::size_t k = 0; k < indices.size(); ++k) {
      const std::int64_t slot = starts[static_cast<std::size_t>(indices[k] - first)]++;
      entries_[static_cast<std::size_t>(slot)] = {static_cast<std::int32_t>(i), values[k]};
    }
  }
  // Each start has moved to the end of its feature, where the next feature starts.
  std::shift_right(starts.begin(), starts.end(), 1);
  starts.front() = begin;
}

}  // namespace headstart
