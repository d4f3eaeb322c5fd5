// head/search/ridge.hpp: ridge regression on one-hot targets: the baseline that a trained head has to beat.
// One eigendecomposition of the Gram matrix K = X X^T gives the exact fit for every lambda, and its
// leave-one-out scores.
//
// The intercept is not penalised, so K and the targets Y are centred: H K H = U diag(s) U^T with
// H = I - 11^T/n. U does not contain the constant vector, whose eigenvalue is 0 and which belongs to the
// intercept. The fit of the training rows is linear in Y: fitted = S Y with
// S = 11^T/n + U diag(s / (s + lambda)) U^T. Leaving row i out of a penalised least-squares fit multiplies
// its residual by 1 / (1 - S_ii) (Golub, Heath and Wahba, Technometrics 21 (1979), 215-223):
//
//   y_i - f_without_i(x_i) = (y_i - fitted_i) / (1 - S_ii)
//   1 - S_ii = sum_j lambda / (s_j + lambda) U_ij^2
//
// In the last sum the 1/n of the intercept has cancelled against the constant vector. Every term is positive,
// so the formula holds down to interpolation (lambda far below every s). Computed in double.
//
// A row that has copies is not really left out: leave-one-out is optimistic where there are near-duplicates.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "head/cancellation.hpp"
#include "head/matrix.hpp"

namespace headstart {

/// The largest number of rows that is accepted. The time of the eigendecomposition grows with the cube of the
/// rows (about a minute at this number). The memory is a few n x n matrices in double.
inline constexpr std::size_t kMaxRidgeRows = 4000;

/// The peak memory of making a RidgeRegression, in bytes for each pair of rows. The peak includes the Gram
/// matrix and its copy, both in float. At the peak, the centred Gram matrix and three copies of the
/// eigenvectors are in memory in double.
inline constexpr std::int64_t kRidgeBytesPerPair = 40;

/// The results of leave-one-out over a grid of lambdas.
struct RidgeBaseline {
  std::vector<double> lambdas;
  std::vector<double> accuracies;  ///< of leave-one-out, for each lambda
  std::size_t best = 0;            ///< the lambda with the highest accuracy; in a tie the larger lambda
  Matrix scores;                   ///< leave-one-out scores of the best lambda, [rows, classes]
};

/// A fit that scores other rows by their products with the training rows.
struct RidgePredictor {
  Eigen::MatrixXd coefficients;  ///< [training rows, classes]
  Eigen::RowVectorXd intercept;  ///< [classes]

  /// f(x) = k(x) coefficients + intercept: about 1 for the row's class and 0 for the others. Scores are not
  /// probabilities.
  /// @param gram  K[other rows, training rows], not centred; the training rows are in the order of the fit
  /// @return [other rows, classes]
  /// @throws std::invalid_argument if `gram` has not one column for each training row
  [[nodiscard]] Matrix scores(const Matrix& gram) const;
};

class RidgeRegression {
 public:
  /// Decomposes the centred Gram matrix.
  /// @param gram  K = X X^T, [n, n], symmetric (the lower triangle is read), not centred
  /// @throws std::invalid_argument if `gram` is not square, has fewer than two or more than kMaxRidgeRows
  /// rows, or holds a value that is not finite
  /// @param cancellation  of this constructor, and of leave_one_out() between lambdas
  explicit RidgeRegression(const Matrix& gram, Cancellation cancellation = {});

  [[nodiscard]] std::size_t rows() const noexcept { return static_cast<std::size_t>(means_.size()); }

  /// 25 values, ascending, evenly spaced in log from 1e-6 to 1e3 times the mean of the centred Gram matrix's
  /// diagonal. The mean of the diagonal is the mean squared distance of a row from the centre, so the grid
  /// fits every scale of features. At the lower end, the fit interpolates what float left of K's digits. At
  /// the upper end at most n / 1000 directions are shrunk by less than half, because the eigenvalues sum to n
  /// times that mean.
  [[nodiscard]] std::vector<double> default_lambdas() const;

  /// Leave-one-out at each lambda.
  /// @param labels   [n], each in [0, classes)
  /// @param lambdas  each above zero and finite; at least one
  /// @throws std::invalid_argument if an argument breaks these rules
  [[nodiscard]] RidgeBaseline leave_one_out(std::span<const std::int32_t> labels, int classes,
                                            std::span<const double> lambdas) const;

  /// The fit to all n rows; the arguments are those of leave_one_out().
  [[nodiscard]] RidgePredictor fit(std::span<const std::int32_t> labels, int classes, double lambda) const;

 private:
  Cancellation cancellation_;
  Eigen::VectorXd eigenvalues_;   // s, [n - 1], ascending, none below zero
  Eigen::MatrixXd eigenvectors_;  // U, [n, n - 1], orthogonal to the constant vector
  Eigen::VectorXd means_;         // K 1 / n, [n]
  double scale_ = 0.0;            // mean of the centred Gram matrix's diagonal
};

}  // namespace headstart
