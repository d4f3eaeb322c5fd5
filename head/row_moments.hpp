// head/row_moments.hpp: sums over rows of which ridge regression, LogME and principal components are made
// where there are more rows than columns: counts, sums of each class, and X^T X. One pass, in double, in
// memory that does not grow with the rows.
//
// Rows are summed relative to the mean of the first block. So the products about the mean lose no digits to
// a mean that is far from zero (Chan, Golub and LeVeque, The American Statistician 37 (1983), 242-247).
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <span>

#include "head/matrix.hpp"
#include "head/row_blocks.hpp"
#include "head/workers.hpp"

namespace headstart {

class RowMoments {
 public:
  /// @param columns  d, at least 1
  RowMoments(Eigen::Index columns, int classes);

  /// Adds rows. Takes rows d^2 multiply-adds, shared by the workers; their number changes nothing.
  /// @param block   [rows, d]
  /// @param labels  one for each row, in [0, classes)
  /// @throws std::invalid_argument if a shape or a label is wrong, or a value is not finite; Cancelled
  void add(const Matrix& block, std::span<const std::int32_t> labels, Workers& workers);

  [[nodiscard]] Eigen::Index columns() const noexcept { return sums_.cols(); }
  [[nodiscard]] double rows() const { return counts_.sum(); }
  /// [classes]: the rows of each class.
  [[nodiscard]] const Eigen::VectorXd& counts() const noexcept { return counts_; }
  /// [d]: the mean of all rows, of which there is at least one.
  [[nodiscard]] Eigen::RowVectorXd mean() const { return origin_ + sums_.colwise().sum() / rows(); }
  /// Y^T X, [classes, d]: the sum of the rows of each class.
  [[nodiscard]] Eigen::MatrixXd class_sums() const { return sums_ + counts_ * origin_; }
  /// (X - mean)^T (X - mean), [d, d].
  [[nodiscard]] Eigen::MatrixXd centred_products() const;
  /// X^T X, [d, d].
  [[nodiscard]] Eigen::MatrixXd products() const;

 private:
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  Eigen::VectorXd counts_;
  Eigen::RowVectorXd origin_;  // the mean of the first block
  Eigen::MatrixXd sums_;       // [classes, d], of x - origin
  RowMajor products_;          // [d, d], of x - origin; the lower triangle, in whole blocks
};

/// The moments of all rows, in one pass.
/// @param labels  [rows.rows]
[[nodiscard]] RowMoments moments_of(const RowBlocks& rows, std::span<const std::int32_t> labels, int classes,
                                    Workers& workers);

/// X X^T in double, [rows, rows], for rows that fit in memory: the counterpart where there are fewer rows
/// than columns. Both triangles are filled.
/// @param centred  whether the mean of the rows is taken off first
[[nodiscard]] Eigen::MatrixXd products_of_rows(const RowBlocks& rows, bool centred, Workers& workers);

}  // namespace headstart
