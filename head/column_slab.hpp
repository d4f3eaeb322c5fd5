// head/column_slab.hpp: how a wide matrix is cut into slabs of columns, the unit of work of the first layer:
// a slab's rows lie beside each other in memory, padded to whole cache lines, and one thread at a time owns
// it.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "head/matrix.hpp"

namespace headstart {

/// 64 columns measured best or equal best among 64, 128 and 256: the batch's gradient (8 KiB at 32 rows)
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

/// The matrix's part of a slab's memory: [rows, slab.columns] of [rows, slab.width].
[[nodiscard]] SlabRows without_padding(std::span<float> floats, Eigen::Index rows, const ColumnSlab& slab);

/// Sum of a(i, j) b(i, j) over a slab's columns: rows in float, as their factors are, the sum of rows in
/// double.
template <typename A, typename B>
[[nodiscard]] double inner_product(const A& a, const B& b) {
  double sum = 0.0;
  for (Eigen::Index i = 0; i < a.rows(); ++i) sum += static_cast<double>(a.row(i).dot(b.row(i)));
  return sum;
}

}  // namespace headstart
