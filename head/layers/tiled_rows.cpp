// head/layers/tiled_rows.cpp
#include "head/layers/tiled_rows.hpp"

#include <algorithm>

namespace headstart {

TiledRows::TiledRows(const SparseRowsView& features, std::int64_t tile_features)
    : features_(features),
      tile_features_(tile_features),
      tiles_(static_cast<std::size_t>((features.columns + tile_features - 1) / tile_features)),
      starts_(features.rows() * (tiles_ + 1)) {
  for (std::size_t row = 0; row < features.rows(); ++row) {
    const std::span<const std::int32_t> indices = features.row_indices(row);
    std::size_t entry = 0;
    for (std::size_t tile = 0; tile < tiles_; ++tile) {
      starts_[row * (tiles_ + 1) + tile] = static_cast<std::uint32_t>(entry);
      while (entry < indices.size() && indices[entry] < end_feature(tile)) ++entry;
    }
    starts_[row * (tiles_ + 1) + tiles_] = static_cast<std::uint32_t>(entry);
  }
}

std::int64_t TiledRows::first_feature(std::size_t tile) const noexcept {
  return static_cast<std::int64_t>(tile) * tile_features_;
}

std::int64_t TiledRows::end_feature(std::size_t tile) const noexcept {
  return std::min(first_feature(tile + 1), features_.columns);
}

void TiledRows::add_products(std::span<const RowIndex> rows, std::size_t tile, std::span<const float> weights,
                             std::size_t width, std::span<float> z, const PrimalKernel& routines) const {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::span<const std::int32_t> entries = indices(rows[i], tile);
    if (entries.empty()) continue;
    routines.add_product({.kernel = weights,
                          .width = width,
                          .first_feature = static_cast<std::int32_t>(first_feature(tile)),
                          .indices = entries,
                          .values = values(rows[i], tile),
                          .z = z.subspan(i * width, width)});
  }
}

}  // namespace headstart
