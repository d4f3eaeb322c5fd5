// head/symmetric_eigen.hpp: all eigenvalues and eigenvectors of a symmetric matrix, by LAPACK's divide and
// conquer (Gu and Eisenstat, SIAM J. Matrix Anal. Appl. 16 (1995), 172-191). Three steps: the matrix becomes
// tridiagonal (4/3 n^3 flops, half of them bound by memory), the tridiagonal one is decomposed (at most
// 4/3 n^3), and its eigenvectors are turned back (2 n^3, shared by the threads).
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>

#include "head/cancellation.hpp"

namespace headstart {

/// A = V diag(values) V^T.
struct SymmetricEigen {
  Eigen::VectorXd values;   ///< [n], ascending
  Eigen::MatrixXd vectors;  ///< V, [n, n]: column j belongs to values(j)
};

/// The peak memory of symmetric_eigen(), in bytes for each element of the matrix: the matrix itself, its
/// eigenvectors and the space that LAPACK works in.
inline constexpr std::int64_t kEigenBytesPerElement = 24;

/// Decomposes A. The result does not depend on the number of threads.
/// @param matrix   A, [n, n], with 1 <= n <= 46,000; finite; only the lower triangle is read
/// @param threads  0: all that the process may use
/// @param progress gets the share of the work that is done, now and then; may be empty
/// @throws std::invalid_argument if A is not square, is empty or is too large; std::runtime_error if the
/// iteration does not converge; Cancelled. After Cancelled, a thread may still work in the background
/// (run_unless_cancelled.hpp)
[[nodiscard]] SymmetricEigen symmetric_eigen(Eigen::MatrixXd matrix, int threads,
                                             const Cancellation& cancellation = {},
                                             const std::function<void(double share)>& progress = {});

}  // namespace headstart
