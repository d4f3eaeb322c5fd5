// pipeline/tuned_first_layer.hpp: stage three as the trainer sees it: a first layer whose input is trained
// too. Cached activations go up through trainable blocks, pooling and transform to the first dense kernel W;
// gradients come back down the same way:
//
//   X = transform(pool(blocks(maps)));  z = X W;  dLoss/dX = dLoss/dz W^T  ->  dLoss/dmaps  ->  blocks
//
// So everything that stage two has (batches, schedules, early stopping, checkpoints, windows of rows) holds
// for stage three. X is as sparse as the cached features, and stage two's solver trains W; dLoss/dX is needed
// only where X is not zero, because everywhere else a ReLU stops it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "features/trainable_blocks.hpp"
#include "head/feature_matrix.hpp"
#include "head/first_layer.hpp"
#include "head/primal_solver.hpp"
#include "head/representation.hpp"

namespace headstart {

struct TunedLayerOptions {
  std::int64_t channels = 512;  ///< of the blocks' output
  int batch = 32;               ///< rows of one run of the blocks
  Pooling pooling = Pooling::kFlatten;
  FittedTransform fitted;
  double blocks_rate = 1.0;  ///< the blocks' learning rate over the head's
  double l2_sp = 0.0;        ///< lambda of lambda * sum((W - W_0)^2) over the blocks' kernels
  int threads = 0;
};

class TunedFirstLayer final : public FirstLayer {
 public:
  /// @param maps    rows of the tap below the blocks; must outlive this, or until use_rows()
  /// @param kernel  W of the first dense layer, [columns of X, hidden]
  TunedFirstLayer(std::unique_ptr<TrainableBlocks> blocks, const FeatureRows& maps, const Matrix& kernel,
                  TunedLayerOptions options);

  void forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z, const Plan& plan = {}) override;
  void step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd,
            std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z, const Plan& plan = {}) override;
  /// Of W.
  [[nodiscard]] double squared_norm() override { return dense_.squared_norm(); }
  [[nodiscard]] double penalty(double l2) override;
  [[nodiscard]] double gradient_squared_norm(std::span<const RowIndex> batch,
                                             const Eigen::Ref<const Matrix>& dz, double l2) override;
  void use_rows(const FeatureRows& maps) override;
  [[nodiscard]] Matrix release_kernel() override { return dense_.release_kernel(); }
  void remember() override;
  void recall() override;
  /// The dense solver's, then kernel and bias of every convolution: weights, velocities, and the remembered
  /// weights if there are any.
  [[nodiscard]] FirstLayerState state() override;
  void set_state(const FirstLayerState& state) override;

  [[nodiscard]] TrainableBlocks& blocks() noexcept { return *blocks_; }

 private:
  /// A batch on its way from the blocks to W. Where a stage changes nothing, the one before stands for it.
  struct Represented {
    FeatureMatrix maps;
    FeatureMatrix pooled;
    FeatureMatrix rows;
  };
  [[nodiscard]] bool pools() const noexcept { return options_.pooling != Pooling::kFlatten; }
  [[nodiscard]] bool transforms() const noexcept { return options_.fitted.transform != Transform::kNone; }
  [[nodiscard]] FeatureRows pooled_of(const Represented& represented) const;
  [[nodiscard]] FeatureRows rows_of(const Represented& represented) const;

  // Runs the blocks; what they keep for the way back is that of these rows then.
  [[nodiscard]] Represented run_blocks(std::span<const RowIndex> rows);
  // Has the blocks and `current_` hold these rows.
  void enter(std::span<const RowIndex> rows);
  void backward(const Eigen::Ref<const Matrix>& dz);

  std::unique_ptr<TrainableBlocks> blocks_;
  FeatureRows maps_;
  TunedLayerOptions options_;
  PrimalSolver dense_;
  std::vector<float> input_;     // [batch, maps' columns]
  std::vector<float> gradient_;  // dLoss/d(blocks' output), [batch, its columns]
  std::vector<RowIndex> resident_;
  Represented current_;  // of resident_
  FeatureMatrix stacked_;
  bool gradients_ready_ = false;  // the blocks', of resident_
  std::vector<ConvolutionWeights> remembered_;
  std::vector<ConvolutionWeights> shown_weights_;  // what state() shows
  std::vector<ConvolutionWeights> shown_velocities_;
};

}  // namespace headstart
