// head/principal_components.hpp: rows as points of a plane, for people to look at: PCA from the kernel
// matrix.
#pragma once

#include <array>

#include "head/matrix.hpp"

namespace headstart {

struct PrincipalComponents {
  /// [rows, 2]: each row's coordinates on the two axes along which the rows vary most, about their mean. The
  /// coordinate that is farthest from zero is positive on either axis.
  Matrix coordinates;
  std::array<double, 2>
      variance_share{};  ///< of the rows' whole variance, on each axis; 0 where there is none
};

/// Both axes of X - mean(X) from K = X X^T, by subspace iteration on the centred K (Halko, Martinsson and
/// Tropp 2011, doi 10.1137/090771806): the eigenvectors v of the largest eigenvalues l, as v sqrt(l). The
/// same bits for the same kernel.
/// @param kernel  [rows, rows], symmetric
/// @throws std::invalid_argument if it is empty, not square or not finite
[[nodiscard]] PrincipalComponents principal_components(const Matrix& kernel);

}  // namespace headstart
