// head/representation/tuned_first_layer.hpp: stage three for the trainer: a first layer whose input is
// trained, too. Forward, rows go through trainable lower layers, pooling and transform to the first dense
// kernel W. Backward, gradients take the same way in reverse:
//
//   X = transform(pool(lower(rows)));  z = X W;  dLoss/dX = dLoss/dz W^T  ->  dLoss/dmaps  ->  lower layers
//
// So every feature of stage two (batches, schedules, early stopping, checkpoints, windows of rows) works in
// stage three. X is as sparse as the cached features, and stage two's solver trains W. dLoss/dX is needed
// only where X is not zero, because a ReLU stops it everywhere else.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "head/layers/first_layer.hpp"
#include "head/layers/primal_solver.hpp"
#include "head/representation/lower_layers.hpp"
#include "head/representation/representation.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// How the lower layers meet the first layer.
struct TunedLayerOptions {
  std::int64_t channels = 512;  ///< of the lower layers' output
  int batch = 32;               ///< rows of one run of the lower layers
  Pooling pooling = Pooling::kFlatten;
  FittedTransform fitted;
  int threads = 0;
};

/// Lower layers and first layer as one first layer.
class TunedFirstLayer final : public FirstLayer {
 public:
  /// @param rows    the lower layers' input; must outlive this, or live until use_rows()
  /// @param kernel  W of the first dense layer, [columns of X, hidden]
  TunedFirstLayer(std::unique_ptr<LowerLayers> lower, const SparseRowsView& rows, const Matrix& kernel,
                  TunedLayerOptions options);

  void forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z, const Plan& plan = {}) override;
  void step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd,
            std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z, const Plan& plan = {}) override;
  /// sum(W^2) of the dense kernel.
  [[nodiscard]] double squared_norm() override { return dense_.squared_norm(); }
  [[nodiscard]] double penalty(double l2) override;
  [[nodiscard]] double gradient_squared_norm(std::span<const RowIndex> batch,
                                             const Eigen::Ref<const Matrix>& dz, double l2) override;
  void use_rows(const SparseRowsView& rows) override;
  [[nodiscard]] Matrix release_kernel() override { return dense_.release_kernel(); }
  void remember() override;
  void recall() override;
  /// The state of the dense solver, then the arrays of the lower layers: weights, velocities, and the
  /// remembered weights if there are any.
  [[nodiscard]] FirstLayerState state() override;
  void set_state(const FirstLayerState& state) override;

 private:
  /// A batch on its way from the lower layers to W. A stage that changes nothing keeps no copy; the stage
  /// before has the values.
  struct Represented {
    SparseRows maps;
    SparseRows pooled;
    SparseRows rows;
  };
  [[nodiscard]] bool pools() const noexcept { return options_.pooling != Pooling::kFlatten; }
  [[nodiscard]] bool transforms() const noexcept { return options_.fitted.transform != Transform::kNone; }
  [[nodiscard]] SparseRowsView pooled_of(const Represented& represented) const;
  [[nodiscard]] SparseRowsView rows_of(const Represented& represented) const;

  // Runs the lower layers on `rows`. Afterwards they hold the values of these rows for backpropagation.
  [[nodiscard]] Represented run_lower(std::span<const RowIndex> rows);
  // Makes sure that the lower layers and `current_` hold these rows.
  void enter(std::span<const RowIndex> rows);
  void backward(const Eigen::Ref<const Matrix>& dz);

  std::unique_ptr<LowerLayers> lower_;
  SparseRowsView rows_;
  TunedLayerOptions options_;
  PrimalSolver dense_;
  std::vector<float> input_;     // [batch, rows' columns]
  std::vector<float> gradient_;  // dLoss/d(output of the lower layers), [batch, columns of this output]
  std::vector<RowIndex> resident_;
  Represented current_;  // the values of resident_
  SparseRows stacked_;
  bool gradients_ready_ = false;  // whether the lower layers have the gradients of resident_
  LayerArrays remembered_;
  LayerArrays shown_weights_;  // the memory that state() shows
  LayerArrays shown_velocities_;
};

}  // namespace headstart
