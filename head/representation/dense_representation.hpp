// head/representation/dense_representation.hpp: pooled maps as dense rows, and a transform as the map that is
// applied to them as they are read (affine_rows.hpp). The numbers are those of representation.hpp, except for
// rounding.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "head/layers/affine_rows.hpp"
#include "head/representation/representation.hpp"
#include "memory/dense_rows.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// Whether rows of this representation are kept dense: pooled ones are mostly not zero.
[[nodiscard]] constexpr bool is_dense(Pooling pooling) noexcept { return pooling != Pooling::kFlatten; }

/// Pools rows with any pooling but kFlatten.
/// @param maps    as for pool()
/// @param pooled  [maps.rows(), channels]; overwritten
/// @throws std::invalid_argument if the shapes disagree
void pool_dense(const SparseRowsView& maps, std::int64_t channels, Pooling pooling, int threads,
                std::span<float> pooled);

/// As fit_transform(), from dense rows.
[[nodiscard]] FittedTransform fit_transform(Transform transform, const DenseRowsView& pooled,
                                            std::span<const RowIndex> training);

/// Dense rows after a transform: owns the numbers of the map, not the rows.
class TransformedRows {
 public:
  TransformedRows() = default;
  /// @param pooled   must outlive rows()
  /// @param threads  0: all that the process may use
  /// @throws std::invalid_argument if the number of columns differs from that of the fit
  TransformedRows(const FittedTransform& fitted, const DenseRowsView& pooled, int threads);

  /// Valid while this and the pooled rows live.
  [[nodiscard]] AffineRows rows() const noexcept;

 private:
  DenseRowsView pooled_;
  std::vector<float> row_factors_;  // of kUnit
  std::vector<float> means_;        // of kStandardize, with the two below
  std::vector<float> mean_rests_;
  std::vector<float> column_factors_;
  float factor_ = 1.0F;  // of kScale
};

}  // namespace headstart
