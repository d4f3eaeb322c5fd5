// head/insight/transferability.hpp: LogME: how well a linear model on these features could explain these
// labels, before any training (You et al. 2021, arXiv 2102.11005). LogME is the logarithm of the maximum
// evidence, per row.
//
// Take one class y in {0, 1}^n (one against the rest) and features X [n, d], with w ~ N(0, 1 / alpha) and
// y ~ N(X w, 1 / beta). The evidence p(y | X, alpha, beta) is maximised over alpha and beta. Let
// K = X X^T = U diag(s) U^T, z = U^T y and t = alpha / beta. Then everything that the paper computes from X
// is a sum over eigenvalues:
//
//   |m|^2 = sum s z^2 / (s + t)^2,   |X m - y|^2 = sum (t z / (s + t))^2,   gamma = sum s / (s + t)
//   alpha = gamma / |m|^2,   beta = (n - gamma) / |X m - y|^2                            (the fixed point)
//   log evidence = n/2 log beta - n/2 log 2 pi - beta/2 |X m - y|^2 - alpha/2 |m|^2 - 1/2 sum log(1 + s / t)
//
// The last sum is the paper's d/2 log alpha - 1/2 log|A|, to which an eigenvalue 0 adds nothing. So K alone
// is enough. So is X^T X = V diag(s) V^T, which is smaller where n > d: z = diag(s)^-1/2 V^T X^T y, and the
// n - d eigenvalues 0 of K have the rest of |y|^2. As in the paper, the features have no centring and no
// intercept.
// Compare scores only between feature sets of the same rows and labels. Scaling the features by one factor
// changes alpha, not the score.
#pragma once

#include <cstdint>
#include <span>

#include "head/cancellation.hpp"
#include "head/matrix.hpp"
#include "head/row_moments.hpp"

namespace headstart {

/// The mean, over the classes that have rows, of the log maximum evidence per row, in nats. Higher is better.
/// Computed in double. The iteration starts with alpha / beta = the mean eigenvalue, and ends when
/// alpha / beta changes by less than a millionth.
/// @param gram     K = X X^T, [n, n], symmetric (the lower triangle is read), not centred; at least one row
/// @param labels   [n], each in [0, classes)
/// @param columns  d, at least 1: K has at most d eigenvalues; further ones are rounding errors and are left
/// out
/// @param threads  0: all that the process may use; the result doesn't depend on it
/// @throws std::invalid_argument if an argument breaks these rules, or K has a value that is not finite;
/// Cancelled
[[nodiscard]] double log_maximum_evidence(const Matrix& gram, std::span<const std::int32_t> labels,
                                          int classes, std::int64_t columns, int threads,
                                          const Cancellation& cancellation = {});

/// The same from X^T X and the sums of the classes, for any number of rows.
/// @param moments  of one row or more @throws std::invalid_argument if there is none; Cancelled
[[nodiscard]] double log_maximum_evidence(const RowMoments& moments, int threads,
                                          const Cancellation& cancellation = {});

}  // namespace headstart
