// head/layers/scaled_rows_layer.hpp: a first layer on rows of which each is multiplied with a number of its
// own: z_r = f_r (x_r W), and the gradient is X^T (f dz). So transforms that scale whole rows need no copy of
// the rows.
#pragma once

#include <span>

#include "head/layers/first_layer.hpp"

namespace headstart {

class ScaledRowsLayer final : public FirstLayer {
 public:
  /// @param layer    on the rows as they are; must outlive this
  /// @param factors  of each row; must outlive this
  ScaledRowsLayer(FirstLayer& layer, std::span<const float> factors) : layer_(layer), factors_(factors) {}

  void forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z, const Plan& plan = {}) override {
    layer_.forward(rows, z, plan);
    scale(rows, z);
  }
  void step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd,
            std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z, const Plan& plan = {}) override {
    Matrix scaled = dz;
    scale(batch, scaled);
    layer_.step(batch, scaled, sgd, next, next_z, plan);
    scale(next, next_z);
  }
  [[nodiscard]] double squared_norm() override { return layer_.squared_norm(); }
  [[nodiscard]] Matrix release_kernel() override { return layer_.release_kernel(); }
  void remember() override { layer_.remember(); }
  void recall() override { layer_.recall(); }

 private:
  void scale(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z) const {
    for (std::size_t i = 0; i < rows.size(); ++i)
      z.row(static_cast<Eigen::Index>(i)) *= factors_[static_cast<std::size_t>(rows[i])];
  }

  FirstLayer& layer_;
  std::span<const float> factors_;
};

}  // namespace headstart
