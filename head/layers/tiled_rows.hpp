// head/layers/tiled_rows.hpp: feature rows cut into tiles of consecutive features, so that every row uses a
// tile of W while the tile is in cache. Invariant: a tile's entries of a row are found in constant time. The
// index costs 4 bytes a row and tile, and is built once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "head/layers/primal_kernel.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// 256 features measured best or equal best among 64 to 512. A tile of 64 columns of W (64 KiB) stays in L2.
inline constexpr std::int64_t kTileFeatures = 256;

class TiledRows {
 public:
  /// @param features       must outlive this
  /// @param tile_features  features of a tile, at least one; the last tile may have fewer
  TiledRows(const SparseRowsView& features, std::int64_t tile_features);

  [[nodiscard]] const SparseRowsView& features() const noexcept { return features_; }
  [[nodiscard]] std::size_t tiles() const noexcept { return tiles_; }
  [[nodiscard]] std::int64_t tile_features() const noexcept { return tile_features_; }
  [[nodiscard]] std::int64_t first_feature(std::size_t tile) const noexcept;
  /// One past the tile's last feature.
  [[nodiscard]] std::int64_t end_feature(std::size_t tile) const noexcept;

  [[nodiscard]] std::span<const std::int32_t> indices(RowIndex row, std::size_t tile) const noexcept {
    return features_.row_indices(row).subspan(start(row, tile), start(row, tile + 1) - start(row, tile));
  }
  [[nodiscard]] std::span<const float> values(RowIndex row, std::size_t tile) const noexcept {
    return features_.row_values(row).subspan(start(row, tile), start(row, tile + 1) - start(row, tile));
  }

  /// z += X[rows, tile] W[tile].
  /// @param weights  W[tile], [features of the tile, width]
  /// @param z        [rows.size(), width]
  void add_products(std::span<const RowIndex> rows, std::size_t tile, std::span<const float> weights,
                    std::size_t width, std::span<float> z, const PrimalKernel& routines) const;

 private:
  [[nodiscard]] std::size_t start(RowIndex row, std::size_t tile) const noexcept {
    return starts_[static_cast<std::size_t>(row) * (tiles_ + 1) + tile];
  }

  SparseRowsView features_;
  std::int64_t tile_features_;
  std::size_t tiles_;
  std::vector<std::uint32_t> starts_;  // [rows, tiles + 1]: the place in the row where a tile begins
};

}  // namespace headstart
