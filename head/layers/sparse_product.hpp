// head/layers/sparse_product.hpp: products of sparse feature rows with a wide dense weights matrix: X W, and
// c W + X^T A. The weights matrix is read once, in its normal layout. Invariant: sums run in one fixed order.
// So a result does not depend on the number of threads or on the other rows and columns.
#pragma once

#include <span>

#include "head/layers/tiled_rows.hpp"
#include "head/matrix.hpp"
#include "head/workers.hpp"

namespace headstart {

/// X[rows] W, [rows.size(), kernel.cols()].
/// @param kernel  W, [features, any]
/// @throws std::invalid_argument if `kernel` has not one row for each feature
[[nodiscard]] Matrix sparse_product(const TiledRows& matrix, std::span<const RowIndex> rows,
                                    const Matrix& kernel, Workers& workers);

/// W = scale W + X[rows]^T A, in place.
/// @param coefficients  A, [rows.size(), kernel.cols()]
/// @throws std::invalid_argument if the shapes disagree
void add_transposed_sparse_product(const TiledRows& matrix, std::span<const RowIndex> rows,
                                   const Matrix& coefficients, float scale, Matrix& kernel, Workers& workers);

/// Sum of squares, in double, in a fixed order.
[[nodiscard]] double squared_norm(const Matrix& matrix, Workers& workers);

}  // namespace headstart
