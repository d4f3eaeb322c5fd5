// head/layers/column_slab.hpp: cuts a wide matrix into slabs of columns, the first layer's unit of work. The
// rows of a slab lie side by side in memory, padded to whole cache lines. One thread at a time owns a slab.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "head/matrix.hpp"

namespace headstart {

/// 64 columns measured best or equal best among 64, 128 and 256. The batch's gradient (8 KiB at 32 rows)
/// stays in L1.
inline constexpr Eigen::Index kSlabColumns = 64;

struct ColumnSlab {
  Eigen::Index first = 0;    ///< its first column in the matrix
  Eigen::Index columns = 0;  ///< at most kSlabColumns
  std::size_t width = 0;     ///< in memory: columns rounded up to kColumnGroup; the padding stays zero
};

/// The slabs of a matrix with `columns` columns, in order.
[[nodiscard]] std::vector<ColumnSlab> column_slabs(Eigen::Index columns);

using SlabRows = Eigen::Map<Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;

/// The part of a slab's memory that holds matrix values: [rows, slab.columns] of [rows, slab.width].
[[nodiscard]] SlabRows without_padding(std::span<float> floats, Eigen::Index rows, const ColumnSlab& slab);

/// Sum of a(i, j) b(i, j) over a slab's columns. The sum of a row is in float, as its factors are; the sum
/// over the rows is in double.
template <typename A, typename B>
[[nodiscard]] double inner_product(const A& a, const B& b) {
  double sum = 0.0;
  for (Eigen::Index i = 0; i < a.rows(); ++i) sum += static_cast<double>(a.row(i).dot(b.row(i)));
  return sum;
}

}  // namespace headstart
