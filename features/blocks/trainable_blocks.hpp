// features/blocks/trainable_blocks.hpp: a network's top VGG blocks in training: the interface of all backprop
// paths (registry.hpp), which run the blocks forward and back. The input is the cached activations below the
// blocks, so the frozen part costs nothing. The caller owns the head and its loss above the blocks. Two
// arrays connect them: activations go up, gradients come down.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "features/network/network.hpp"
#include "features/network/weights.hpp"

namespace headstart {

struct BlocksOptions {
  int first_block = 5;   ///< this VGG block and those above it are trained: 2 to block_count(network)
  int input_size = 224;  ///< of the whole network
  int batch_size = 32;   ///< the training batch: rows of every forward() and backward()
  int threads = 0;       ///< 0: all that the process may use
};

/// The VGG blocks' penalty, added to the loss, for convolution weights W but not for biases: l2 sum(W^2) +
/// l2_sp sum((W - W_0)^2). W_0 are the weights with which the VGG blocks were opened. The second term is
/// L2-SP: Li, Grandvalet and Davoine, arXiv 1802.01483, eq. 2, with alpha = 2 l2_sp.
struct BlocksPenalty {
  double l2 = 0.0;
  double l2_sp = 0.0;
};

/// SGD as in Keras, on all convolution weights and biases. With g = (dLoss/dw + dPenalty/dw) gradient_scale,
/// v = momentum v - learning_rate g. Then w += v, or with Nesterov w += momentum v - learning_rate g.
struct BlocksStep {
  double learning_rate = 0.001;
  double momentum = 0.9;
  bool nesterov = false;
  BlocksPenalty penalty{};
  double gradient_scale = 1.0;
};

/// Convolutions, ReLU and max-pools from the tap below `first_block` up to the last tap, with their own
/// weights. Not thread-safe; uses threads of its own.
class TrainableBlocks {
 public:
  virtual ~TrainableBlocks() = default;

  /// The method and the place of the computation: "onednn (oneDNN 2.6.3: winograd F(4x4,3x3) in 9 passes)".
  [[nodiscard]] virtual const std::string& description() const noexcept = 0;

  /// Runs a batch and keeps the values for backward().
  /// @param maps  [batch_size, h, w, c] of the tap below; rows of no interest may hold any finite values
  /// @return the last tap, [batch_size, h, w, c]; valid until the next call of any function
  [[nodiscard]] virtual std::span<const float> forward(std::span<const float> maps) = 0;

  /// Computes the gradients of all convolution weights and biases, summed over the rows of the last
  /// forward().
  /// @param gradient  dLoss/d(result of forward()), with the same shape; zero for rows of no interest. Its
  /// value where an activation is zero is ignored, because ReLU lets nothing through there
  virtual void backward(std::span<const float> gradient) = 0;

  /// Moves the weights along the gradients of the last backward().
  virtual void step(const BlocksStep& step) = 0;

  /// The penalty of the present weights.
  [[nodiscard]] virtual double penalty(const BlocksPenalty& penalty) = 0;
  /// Sum of squares of the last gradients plus the penalty's gradients, over convolution weights
  /// and biases, in double.
  [[nodiscard]] virtual double gradient_squared_norm(const BlocksPenalty& penalty) = 0;

  // One entry for each convolution from `first_block` on, in the order and the layout of NetworkWeights.
  [[nodiscard]] virtual std::vector<ConvolutionWeights> weights() = 0;
  [[nodiscard]] virtual std::vector<ConvolutionWeights> velocities() = 0;
  [[nodiscard]] virtual std::vector<ConvolutionWeights> gradients() = 0;

  /// Sets weights and velocities to earlier results of weights() and velocities(). W_0 stays.
  /// @throws std::invalid_argument if the shapes disagree
  virtual void restore(std::span<const ConvolutionWeights> weights,
                       std::span<const ConvolutionWeights> velocities) = 0;
};

// ---- for backprop paths

/// The layers that are trained, from options.first_block up.
/// @param backprop  the path's name, for the error
/// @throws Error kFailed naming a layer that is no convolution of 3x3 and no max-pool of 2x2
[[nodiscard]] std::vector<NetworkLayer> trained_layers(std::string_view backprop, const Network& network,
                                                       const BlocksOptions& options);

}  // namespace headstart
