// head/row_blocks.hpp: dense feature rows that are read a block at a time, so that they need not be in memory
// together. What is computed from them takes one pass over the rows or a few.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "head/matrix.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

struct RowBlocks {
  Eigen::Index rows = 0;
  Eigen::Index columns = 0;
  /// Makes `block` the rows `which`, [which.size(), columns]. Called from one thread at a time.
  std::function<void(std::span<const RowIndex> which, Matrix& block)> read;
};

/// Calls visit(which, block) for one block after another, in the order of the rows.
template <typename Visit>
void for_each_block(const RowBlocks& rows, const Visit& visit) {
  constexpr Eigen::Index kRowsAtOnce = 2048;
  Matrix block;
  std::vector<RowIndex> which;
  for (Eigen::Index first = 0; first < rows.rows; first += kRowsAtOnce) {
    which.resize(static_cast<std::size_t>(std::min(kRowsAtOnce, rows.rows - first)));
    for (std::size_t i = 0; i < which.size(); ++i)
      which[i] = static_cast<RowIndex>(first) + static_cast<RowIndex>(i);
    rows.read(which, block);
    visit(std::span<const RowIndex>(which), block);
  }
}

/// The rows of a matrix in memory, which has to outlive the result.
[[nodiscard]] inline RowBlocks blocks_of(const Matrix& matrix) {
  return {matrix.rows(), matrix.cols(), [&matrix](std::span<const RowIndex> which, Matrix& block) {
            block.resize(static_cast<Eigen::Index>(which.size()), matrix.cols());
            for (std::size_t i = 0; i < which.size(); ++i)
              block.row(static_cast<Eigen::Index>(i)) = matrix.row(which[i]);
          }};
}

/// Scales each row to length one; a row of zeros stays.
inline void scale_to_unit_length(Matrix& rows) {
  for (Eigen::Index row = 0; row < rows.rows(); ++row) {
    const double square = rows.row(row).cast<double>().squaredNorm();
    if (square > 0.0) rows.row(row) *= static_cast<float>(1.0 / std::sqrt(square));
  }
}

}  // namespace headstart
