// head/search/ridge.hpp: ridge regression on one-hot targets: the baseline that a trained head has to beat.
// One eigendecomposition gives the exact fit for every lambda, and its scores of rows that are left out. It
// is of the Gram matrix, [n, n], or of the centred X^T X, [d, d], whichever is smaller.
//
// The intercept is not penalised, so the rows X and the targets Y are centred: H X with H = I - 11^T/n. The
// fit of the training rows is linear in Y: fitted = S Y. With phi the rows in the basis of the eigenvectors,
//
//   n <= d:   H X X^T H = U diag(s) U^T,  phi = U:          I - S = phi diag(lambda / (s + lambda)) phi^T
//   n > d:    X^T H X = V diag(s) V^T,    phi = H X V:      I - S = H - phi diag(1 / (s + lambda)) phi^T
//
// U does not contain the constant vector, whose eigenvalue is 0 and which belongs to the intercept. Leaving
// the rows G out of a penalised least-squares fit changes their residuals to (Golub, Heath and Wahba,
// Technometrics 21 (1979), 215-223, for one row; Cook and Weisberg, Residuals and Influence in Regression
// (1982), section 3.6, for several):
//
//   Y_G - f_without_G(X_G) = (I - S)_GG^-1 (Y - S Y)_G
//
// A row that has copies is not really left out alone. Copies, and rows that share a group, have to be left
// out together, or the scores are optimistic. Computed in double.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "head/cancellation.hpp"
#include "head/matrix.hpp"
#include "head/row_blocks.hpp"
#include "head/symmetric_eigen.hpp"

namespace headstart {

/// The largest number of rows, or of columns where these are fewer. The time of the eigendecomposition grows
/// with the cube of the smaller number.
inline constexpr std::size_t kMaxRidgeSide = 4000;

/// The peak memory of a RidgeRegression of a Gram matrix, in bytes for each pair of rows. The peak includes
/// the Gram matrix in float and the eigendecomposition (kEigenBytesPerElement).
inline constexpr std::int64_t kRidgeBytesPerPair = 32;

/// Leave-one-out, or leave-group-out, over a grid of lambdas.
struct RidgeBaseline {
  std::vector<double> lambdas;
  std::vector<double> accuracies;  ///< of the rows left out, for each lambda
  std::size_t best = 0;            ///< the lambda with the highest accuracy; in a tie the larger lambda
  /// Scores of the rows left out, at the best lambda, [rows, classes]: about 1 for the row's class and 0 for
  /// the others. Scores are not probabilities.
  Matrix scores;
};

/// How a ridge regression is computed.
struct RidgeWork {
  int threads = 0;              ///< 0: all that the process may use; no result depends on it
  Cancellation cancellation{};  ///< of everything that the regression does
  /// Told after each block of rows, and during the eigendecomposition: how many multiply-adds of the
  /// constructor and of leave_out() are done, and of how many.
  std::function<void(std::size_t done, std::size_t total)> progress{};
};

class RidgeRegression {
 public:
  /// Decomposes the centred Gram matrix, in n^3 steps.
  /// @param gram    K = X X^T, [n, n], symmetric (the lower triangle is read), not centred
  /// @param labels  [n], each in [0, classes)
  /// @throws std::invalid_argument if `gram` is not square, has fewer than two or more than kMaxRidgeSide
  /// rows, or holds a value that is not finite, or a label is wrong; Cancelled
  RidgeRegression(const Matrix& gram, std::span<const std::int32_t> labels, int classes, RidgeWork work = {});

  /// Decomposes the smaller of the two matrices: where n > d in one pass over the rows, n d^2 + d^3 steps and
  /// d^2 memory; else as above, with the rows in memory.
  /// @param rows  at least two, and at most kMaxRidgeSide or with at most as many columns; they have to be
  /// readable while this regression lives
  /// @throws as above
  RidgeRegression(RowBlocks rows, std::span<const std::int32_t> labels, int classes, RidgeWork work = {});

  [[nodiscard]] std::size_t rows() const noexcept { return labels_.size(); }

  /// 25 values, ascending, evenly spaced in log from 1e-6 to 1e3 times the mean squared distance of a row
  /// from the centre. So the grid fits every scale of features. At the lower end, the fit interpolates what
  /// float left of the digits. At the upper end at most n / 1000 directions are shrunk by less than half,
  /// because the eigenvalues sum to n times that mean.
  [[nodiscard]] std::vector<double> default_lambdas() const;

  /// Scores of each row by the fit to all rows but its group, at each lambda. Reads the rows twice: for the
  /// accuracies, and for the scores at the best lambda. A group of g rows costs min(g, d)^3 steps a lambda.
  /// @param lambdas  each above zero and finite; at least one
  /// @param groups   [n]: rows of the same number, 0 or more, are left out together, and below 0 a row is
  ///                 alone; empty: every row is alone
  /// @throws std::invalid_argument if an argument breaks these rules, or one group holds all rows; Cancelled
  [[nodiscard]] RidgeBaseline leave_out(std::span<const double> lambdas,
                                        std::span<const std::int32_t> groups = {}) const;

 private:
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  class Order;

  void decompose(Eigen::MatrixXd centred_gram);
  void decompose_moments();
  [[nodiscard]] RowMajor phi_of(std::span<const RowIndex> which, const Matrix& block,
                                Eigen::Index first) const;
  [[nodiscard]] Matrix scores_of(const Order& order, std::size_t unit, const RowMajor& phi,
                                 double lambda) const;
  enum class Pass { kSums, kAccuracies, kScores };
  template <typename Take>
  void visit(const Order& order, Pass pass, std::size_t lambdas, const Take& take) const;
  /// Multiply-adds.
  struct Costs {
    std::array<std::size_t, 3> of_row{};  // in each pass
    std::size_t of_decomposition = 0;
    [[nodiscard]] std::size_t sum(std::size_t rows) const noexcept {
      return (of_row[0] + of_row[1] + of_row[2]) * rows + of_decomposition;
    }
  };
  [[nodiscard]] Costs costs(std::size_t lambdas) const;
  void tell(Pass pass, std::size_t visited, std::size_t lambdas) const;
  [[nodiscard]] SymmetricEigen decomposed(Eigen::MatrixXd matrix) const;
  [[nodiscard]] bool by_columns() const noexcept { return source_.rows > source_.columns; }

  RidgeWork work_;
  RowBlocks source_;  // of the rows; empty where the Gram matrix was given
  std::vector<std::int32_t> labels_;
  Eigen::RowVectorXd target_means_;  // [classes]
  double scale_ = 0.0;               // the mean squared distance of a row from the centre
  Eigen::VectorXd eigenvalues_;      // s, [r], ascending, none below zero
  RowMajor basis_;                   // U, [n, r], or V, [d, r]
  RowMajor projected_;               // phi^T Y, [r, classes]
  Eigen::RowVectorXd mean_;          // of the rows, [d], where n > d
};

}  // namespace headstart
