// head/layers/affine_rows.hpp: dense rows, and a map that is applied to a row each time it is read. So all
// transforms and folds of a search share one copy of the rows in memory.
//
//   x_rc = ((values_rc row_factor_r - mean_c) - mean_rest_c) column_factor_c
//
// A mean is the sum of two floats. Most of the first difference is exact (Sterbenz 1974), so a feature that
// hardly varies keeps its digits, as with a mean in double.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "head/matrix.hpp"
#include "memory/dense_rows.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// A view; empty spans stand for factors 1 and means 0. The means are given together with the column factors
/// or not at all.
struct AffineRows {
  DenseRowsView rows{};
  std::span<const float> row_factors{};     ///< [rows]
  std::span<const float> means{};           ///< [columns]
  std::span<const float> mean_rests{};      ///< [columns]
  std::span<const float> column_factors{};  ///< [columns]
  float factor = 1.0F;                      ///< of all values, after everything else

  /// How many rows there are.
  [[nodiscard]] std::size_t count() const noexcept { return rows.rows(); }
  /// How many features a row has.
  [[nodiscard]] std::int64_t columns() const noexcept { return rows.columns; }
};

/// The rows `which` as sparse rows, each with an entry for every feature that is not zero.
/// @throws std::invalid_argument for a row that does not exist
[[nodiscard]] SparseRows sparse_rows_of(const AffineRows& rows, std::span<const RowIndex> which);

/// The rows `which`, [which.size(), columns].
/// @throws std::invalid_argument for a row that does not exist
[[nodiscard]] Matrix matrix_of(const AffineRows& rows, std::span<const RowIndex> which);

/// Sum of |x|^2 over the rows `which`, in double.
/// @throws std::invalid_argument for a row that does not exist
[[nodiscard]] double sum_of_squares(const AffineRows& rows, std::span<const RowIndex> which);

}  // namespace headstart
