// head/insight/principal_components.hpp: PCA from the Gram matrix: shows rows as points in a plane.
#pragma once

#include <array>

#include "head/matrix.hpp"

namespace headstart {

struct PrincipalComponents {
  /// [rows, 2]: each row's coordinates on the two axes along which the rows vary most, relative to their
  /// mean. On each axis, the coordinate farthest from zero is positive.
  Matrix coordinates;
  /// The share of each axis in the rows' whole variance; 0 where the rows do not vary.
  std::array<double, 2> variance_share{};
};

/// Both axes of X - mean(X) from K = X X^T, by subspace iteration on the centred K (Halko, Martinsson and
/// Tropp 2011, doi 10.1137/090771806). For the eigenvectors v of the largest eigenvalues l, the coordinates
/// are v sqrt(l). The same K always gives the same result.
/// @param gram  K, [rows, rows], symmetric
/// @throws std::invalid_argument if K is empty, not square or not finite
[[nodiscard]] PrincipalComponents principal_components(const Matrix& gram);

}  // namespace headstart
