// pipeline/run/tuned_first_layer.hpp: stage three for the trainer: a first layer whose input is trained, too.
// Forward, cached activations go through trainable VGG blocks, pooling and transform to the first dense
// kernel W. Backward, gradients take the same way in reverse:
//
//   X = transform(pool(blocks(maps)));  z = X W;  dLoss/dX = dLoss/dz W^T  ->  dLoss/dmaps  ->  blocks
//
// So every feature of stage two (batches, schedules, early stopping, checkpoints, windows of rows) works in
// stage three. X is as sparse as the cached features, and stage two's solver trains W. dLoss/dX is needed
// only where X is not zero, because a ReLU stops it everywhere else.
// only where X is not zero, because everywhere else a ReLU stops it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "features/blocks/trainable_blocks.hpp"
#include "head/layers/first_layer.hpp"
#include "head/layers/primal_solver.hpp"
#include "head/representation/representation.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

struct TunedLayerOptions {
  std::int64_t channels = 512;  ///< of the VGG blocks' output
  int batch = 32;               ///< rows of one run of the VGG blocks
  Pooling pooling = Pooling::kFlatten;
  FittedTransform fitted;
  double blocks_rate = 1.0;  ///< the learning rate of the VGG blocks, divided by that of the head
  double l2_sp = 0.0;        ///< lambda of lambda * sum((W - W_0)^2) over the VGG blocks' kernels
  int threads = 0;
};

class TunedFirstLayer final : public FirstLayer {
 public:
  /// @param maps    rows of the tap below the VGG blocks; must outlive this, or live until use_rows()
  /// @param kernel  W of the first dense layer, [columns of X, hidden]
  TunedFirstLayer(std::unique_ptr<TrainableBlocks> blocks, const SparseRowsView& maps, const Matrix& kernel,
                  TunedLayerOptions options);

  void forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z, const Plan& plan = {}) override;
  void step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd,
            std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z, const Plan& plan = {}) override;
  /// sum(W^2) of the dense kernel.
  [[nodiscard]] double squared_norm() override { return dense_.squared_norm(); }
  [[nodiscard]] double penalty(double l2) override;
  [[nodiscard]] double gradient_squared_norm(std::span<const RowIndex> batch,
                                             const Eigen::Ref<const Matrix>& dz, double l2) override;
  void use_rows(const SparseRowsView& maps) override;
  [[nodiscard]] Matrix release_kernel() override { return dense_.release_kernel(); }
  void remember() override;
  void recall() override;
  /// The state of the dense solver, then kernel and bias of every convolution: weights, velocities, and the
  /// remembered weights if there are any.
  [[nodiscard]] FirstLayerState state() override;
  void set_state(const FirstLayerState& state) override;

  [[nodiscard]] TrainableBlocks& blocks() noexcept { return *blocks_; }

 private:
  /// A batch on its way from the VGG blocks to W. A stage that changes nothing keeps no copy; the stage
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

  // Runs the VGG blocks on `rows`. Afterwards the blocks hold the values of these rows for backpropagation.
  [[nodiscard]] Represented run_blocks(std::span<const RowIndex> rows);
  // Makes sure that the VGG blocks and `current_` hold these rows.
  void enter(std::span<const RowIndex> rows);
  void backward(const Eigen::Ref<const Matrix>& dz);

  std::unique_ptr<TrainableBlocks> blocks_;
  SparseRowsView maps_;
  TunedLayerOptions options_;
  PrimalSolver dense_;
  std::vector<float> input_;     // [batch, maps' columns]
  std::vector<float> gradient_;  // dLoss/d(output of the VGG blocks), [batch, columns of this output]
  std::vector<RowIndex> resident_;
  Represented current_;  // the values of resident_
  SparseRows stacked_;
  bool gradients_ready_ = false;  // whether the VGG blocks have the gradients of resident_
  std::vector<ConvolutionWeights> remembered_;
  std::vector<ConvolutionWeights> shown_weights_;  // the memory that state() shows
  std::vector<ConvolutionWeights> shown_velocities_;
};

}  // namespace headstart
