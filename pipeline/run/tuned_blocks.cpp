// pipeline/run/tuned_blocks.cpp
#include "pipeline/run/tuned_blocks.hpp"

#include <cstddef>
#include <stdexcept>
#include <utility>
#include <vector>

namespace headstart {
namespace {

LayerArrays arrays_from(std::vector<ConvolutionWeights> layers) {
  LayerArrays arrays;
  for (ConvolutionWeights& layer : layers) {
    arrays.push_back(std::move(layer.kernel));
    arrays.push_back(std::move(layer.bias));
  }
  return arrays;
}

std::vector<ConvolutionWeights> layers_from(LayerArrays arrays) {
  if (arrays.size() % 2 != 0) throw std::invalid_argument("tuned blocks: a kernel without a bias");
  std::vector<ConvolutionWeights> layers;
  for (std::size_t i = 0; i < arrays.size(); i += 2)
    layers.push_back({std::move(arrays[i]), std::move(arrays[i + 1])});
  return layers;
}

class TunedBlocks final : public LowerLayers {
 public:
  TunedBlocks(std::unique_ptr<TrainableBlocks> blocks, const TunedBlocksOptions& options)
      : blocks_(std::move(blocks)), options_(options) {}

  [[nodiscard]] std::span<const float> forward(std::span<const float> rows) override {
    return blocks_->forward(rows);
  }
  void backward(std::span<const float> gradient) override { blocks_->backward(gradient); }
  void step(const SgdStep& sgd) override {
    blocks_->step({.learning_rate = sgd.learning_rate * options_.rate,
                   .momentum = sgd.momentum,
                   .nesterov = sgd.nesterov,
                   .penalty = penalty_of(sgd.l2 / sgd.gradient_scale),
                   .gradient_scale = sgd.gradient_scale});
  }
  [[nodiscard]] double penalty(double l2) override { return blocks_->penalty(penalty_of(l2)); }
  [[nodiscard]] double gradient_squared_norm(double l2) override {
    return blocks_->gradient_squared_norm(penalty_of(l2));
  }
  [[nodiscard]] LayerArrays weights() override { return arrays_from(blocks_->weights()); }
  [[nodiscard]] LayerArrays velocities() override { return arrays_from(blocks_->velocities()); }
  void restore(LayerArrays weights, LayerArrays velocities) override {
    blocks_->restore(layers_from(std::move(weights)), layers_from(std::move(velocities)));
  }

 private:
  [[nodiscard]] BlocksPenalty penalty_of(double l2) const noexcept { return {l2, options_.l2_sp}; }

  std::unique_ptr<TrainableBlocks> blocks_;
  TunedBlocksOptions options_;
};

}  // namespace

std::unique_ptr<LowerLayers> lower_layers(std::unique_ptr<TrainableBlocks> blocks,
                                          const TunedBlocksOptions& options) {
  return std::make_unique<TunedBlocks>(std::move(blocks), options);
}

}  // namespace headstart
