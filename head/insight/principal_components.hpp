// head/insight/principal_components.hpp: PCA: shows rows as points in a plane.
#pragma once

#include <array>
#include <span>

#include "head/cancellation.hpp"
#include "head/matrix.hpp"
#include "head/row_blocks.hpp"

namespace headstart {

struct PrincipalComponents {
  /// [drawn rows, 2]: each row's coordinates on the two axes along which all rows vary most, relative to
  /// their mean. On each axis, the coordinate farthest from zero is positive.
  Matrix coordinates;
  /// The share of each axis in the rows' whole variance; 0 where the rows do not vary.
  std::array<double, 2> variance_share{};
};

/// Both axes of X - mean(X), for any number of rows: from the eigenvectors of the centred X X^T, [n, n], or
/// X^T X, [d, d], whichever is smaller. The result does not depend on the number of threads.
/// @param rows   X: all rows, finite; read once, and where n > d the drawn ones once more
/// @param drawn  the rows whose coordinates are wanted
/// @throws std::invalid_argument if X is empty, a value is not finite or a drawn row does not exist;
/// Cancelled
[[nodiscard]] PrincipalComponents principal_components(const RowBlocks& rows, std::span<const RowIndex> drawn,
                                                       int threads, const Cancellation& cancellation = {});

}  // namespace headstart
