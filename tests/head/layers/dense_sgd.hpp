// tests/head/layers/dense_sgd.hpp: what the first layer's solvers must compute, on dense matrices in double.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <span>

#include "head/layers/first_layer.hpp"
#include "head/matrix.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart::test {

class DenseSgd {
 public:
  DenseSgd(const Matrix& features, const Matrix& kernel)
      : features_(features.cast<double>()),
        kernel_(kernel.cast<double>()),
        velocity_(Eigen::MatrixXd::Zero(kernel.rows(), kernel.cols())),
        scale_(kernel_.norm()) {}

  void step(std::span<const RowIndex> batch, const Matrix& dz, const SgdStep& sgd) {
    const Eigen::MatrixXd gradient = rows(batch).transpose() * dz.cast<double>() + 2.0 * sgd.l2 * kernel_;
    velocity_ = sgd.momentum * velocity_ - sgd.learning_rate * gradient;
    if (sgd.nesterov) {
      kernel_ += sgd.momentum * velocity_ - sgd.learning_rate * gradient;
    } else {
      kernel_ += velocity_;
    }
    scale_ = std::max(scale_, kernel_.norm());
  }

  [[nodiscard]] Eigen::MatrixXd product(std::span<const RowIndex> which) const {
    return rows(which) * kernel_;
  }
  /// The largest |W| so far: what W's rounding errors scale with. A W whose steps cancel is much smaller.
  [[nodiscard]] double scale() const { return scale_; }
  /// The same of product(): |X[which]| times scale().
  [[nodiscard]] double product_scale(std::span<const RowIndex> which) const {
    return rows(which).norm() * scale_;
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
  double scale_;
};

}  // namespace headstart::test
