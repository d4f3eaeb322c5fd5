// features/trainable_blocks.hpp: VGG16's top blocks in training: the interface of all that runs them forward
// and back. They begin at the cached activations below them, so that the frozen part costs nothing; what
// lies above them, a head and its loss, is the caller's and meets them in two arrays: activations up,
// gradients down.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "features/vgg16.hpp"
#include "features/weights.hpp"

namespace headstart {

/// What computes gradients.
enum class Backprop { kNative, kOnednn, kLibtorch };

/// "native", "onednn", "libtorch".
[[nodiscard]] std::string_view to_string(Backprop backprop) noexcept;

struct BlocksOptions {
  Backprop backprop = Backprop::kNative;
  int first_block = 5;   ///< this block and those above are trained: 2 to 5
  int input_size = 224;  ///< of the whole network
  int batch_size = 32;   ///< rows of every forward() and backward()
  int threads = 0;       ///< 0: all that the process may use
};

/// What a loss adds for the blocks' kernels W, no bias: l2 sum(W^2) + l2_sp sum((W - W_0)^2), W_0 being the
/// weights that the blocks were opened with. The second is L2-SP: Li, Grandvalet and Davoine, arXiv
/// 1802.01483, eq. 2, with alpha = 2 l2_sp.
struct BlocksPenalty {
  double l2 = 0.0;
  double l2_sp = 0.0;
};

/// SGD as Keras does it, on every kernel and bias: with g = dLoss/dw + dPenalty/dw, times gradient_scale,
/// v = momentum v - learning_rate g; w += v, or with Nesterov w += momentum v - learning_rate g.
struct BlocksStep {
  double learning_rate = 0.001;
  double momentum = 0.9;
  bool nesterov = false;
  BlocksPenalty penalty{};
  double gradient_scale = 1.0;
};

/// Convolutions, ReLU and max-pools from tap `first_block - 1` up to block5_pool, with weights of their own.
/// Not thread-safe; uses threads of its own.
class TrainableBlocks {
 public:
  virtual ~TrainableBlocks() = default;

  /// What computes, and where: "onednn (oneDNN 2.6.3: winograd F(4x4,3x3) in 9 passes)".
  [[nodiscard]] virtual const std::string& description() const noexcept = 0;

  /// Runs a batch and keeps what backward() needs.
  /// @param maps  [batch_size, h, w, c] of the tap below; rows that are of no interest may hold anything
  /// finite
  /// @return block5_pool, [batch_size, h, w, c]; valid until the next call of anything
  [[nodiscard]] virtual std::span<const float> forward(std::span<const float> maps) = 0;

  /// The gradients of every kernel and bias, summed over the rows of the last forward().
  /// @param gradient  dLoss/d(what forward() returned), the same shape; zero for rows of no interest. What it
  /// says where an activation is zero is not looked at: no ReLU lets it through.
  virtual void backward(std::span<const float> gradient) = 0;

  /// Moves the weights along the gradients of the last backward().
  virtual void step(const BlocksStep& step) = 0;

  /// Of the weights as they are.
  [[nodiscard]] virtual double penalty(const BlocksPenalty& penalty) = 0;
  /// Sum of squares of the last gradients with the penalty's, over kernels and biases, in double.
  [[nodiscard]] virtual double gradient_squared_norm(const BlocksPenalty& penalty) = 0;

  // One entry for each convolution from `first_block` on, in the order and the layout of Vgg16Weights.
  [[nodiscard]] virtual std::vector<ConvolutionWeights> weights() = 0;
  [[nodiscard]] virtual std::vector<ConvolutionWeights> velocities() = 0;
  [[nodiscard]] virtual std::vector<ConvolutionWeights> gradients() = 0;

  /// Puts weights and velocities that weights() and velocities() gave back in place; W_0 stays.
  /// @throws std::invalid_argument if the shapes disagree
  virtual void restore(std::span<const ConvolutionWeights> weights,
                       std::span<const ConvolutionWeights> velocities) = 0;
};

/// @param weights  of the whole network; those from options.first_block on are where training starts
/// @throws Error kFailed if this build or machine can't do it; std::invalid_argument about the options
[[nodiscard]] std::unique_ptr<TrainableBlocks> open_trainable_blocks(const Vgg16Weights& weights,
                                                                     const BlocksOptions& options);

/// Whether blocks can be trained with it here, and with what, or what is missing; for `headstart info`.
struct BackpropAvailability {
  Backprop backprop;
  bool available;
  std::string detail;
};
[[nodiscard]] std::vector<BackpropAvailability> list_backprops();

}  // namespace headstart
