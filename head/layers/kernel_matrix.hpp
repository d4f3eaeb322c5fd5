// head/layers/kernel_matrix.hpp: the Gram matrix K = X X^T, the inner products of all feature rows. All
// folds, seeds, rates and widths of one representation share K.
#pragma once

#include <span>

#include "head/layers/tiled_rows.hpp"
#include "head/matrix.hpp"
#include "head/workers.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// X X^T, [rows, rows], exactly symmetric; the same result for any number of threads. Takes 4 rows^2 bytes
/// and about rows * non-zeros multiply-adds.
[[nodiscard]] Matrix kernel_matrix(const TiledRows& matrix, Workers& workers);
/// X X^T of `rows` only, [rows, rows].
[[nodiscard]] Matrix kernel_matrix(const TiledRows& matrix, std::span<const RowIndex> rows, Workers& workers);
/// @param threads  0: all that the process may use
[[nodiscard]] Matrix kernel_matrix(const SparseRowsView& features, int threads);

/// K of rows scaled to unit length: K_ij / sqrt(K_ii K_jj). A row of zeros stays zero.
[[nodiscard]] Matrix unit_kernel_matrix(const Matrix& kernel_matrix);

}  // namespace headstart
