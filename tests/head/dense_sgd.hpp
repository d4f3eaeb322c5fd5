// tests/head/dense_sgd.hpp: what the first layer's solvers must compute, on dense matrices in double.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <span>

#include "head/feature_rows.hpp"
#include "head/first_layer.hpp"
#include "head/matrix.hpp"

namespace headstart::test {

class DenseSgd {
 public:
  DenseSgd(const Matrix& features, const Matrix& kernel)
      : features_(features.cast<double>()),
        kernel_(kernel.cast<double>()),
        velocity_(Eigen::MatrixXd::Zero(kernel.rows(), kernel.cols())) {}

  void step(std::span<const RowIndex> batch, const Matrix& dz, const SgdStep& sgd) {
    const Eigen::MatrixXd gradient = rows(batch).transpose() * dz.cast<double>() + 2.0 * sgd.l2 * kernel_;
    velocity_ = sgd.momentum * velocity_ - sgd.learning_rate * gradient;
    if (sgd.nesterov) {
      kernel_ += sgd.momentum * velocity_ - sgd.learning_rate * gradient;
    } else {
      kernel_ += velocity_;
    }
  }

  [[nodiscard]] Eigen::MatrixXd product(std::span<const RowIndex> which) const {
    return rows(which) * kernel_;
  }
  /// How large product() could be, |X[which]| |W|: what its rounding errors scale with. A sum whose terms
  /// cancel is much smaller.
  [[nodiscard]] double product_scale(std::span<const RowIndex> which) const {
    return rows(which).norm() * kernel_.norm();
  }
  [[nodiscard]] const Eigen::MatrixXd& kernel() const { return kernel_; }

 private:
  [[nodiscard]] Eigen::MatrixXd rows(std::span<const RowIndex> which) const {
    Eigen::MatrixXd result(static_cast<Eigen::Index>(which.size()), features_.cols());
    for (std::size_t i = 0; i < which.size(); ++i)
      result.row(static_cast<Eigen::Index>(i)) = features_.row(which[i]);
    return result;
  }

  Eigen::MatrixXd features_;
  Eigen::MatrixXd kernel_;
  Eigen::MatrixXd velocity_;
};

}  // namespace headstart::test
