// head/representation/lower_layers.hpp: the layers below a head that are trained together with it, as the
// head sees them. Rows go up, gradients come down. What the layers are is the caller's affair.
#pragma once

#include <span>
#include <vector>

#include "head/layers/first_layer.hpp"

namespace headstart {

/// An array for each tensor of weights, in the order of the layers.
using LayerArrays = std::vector<std::vector<float>>;

/// Layers in training. They take batches of one size; rows that fill a batch up may hold any finite values.
class LowerLayers {
 public:
  virtual ~LowerLayers() = default;

  /// Runs a batch and keeps the values for backward().
  /// @param rows  [batch, columns]
  /// @return [batch, columns of the output], none negative; valid until the next call of any function
  [[nodiscard]] virtual std::span<const float> forward(std::span<const float> rows) = 0;
  /// Computes the gradients of all weights, summed over the rows of the last forward().
  /// @param gradient  dLoss/d(result of forward()), with the same shape; zero for rows that fill up. Its
  /// value where an output is zero is ignored, because a ReLU lets nothing through there
  virtual void backward(std::span<const float> gradient) = 0;
  /// Moves the weights along the gradients of the last backward(). The layers may have a learning rate of
  /// their own.
  /// @param sgd  the first dense layer's step. Note: its l2 is multiplied by gradient_scale already, and the
  /// gradients of backward() are not
  virtual void step(const SgdStep& sgd) = 0;

  /// The loss's penalty for these weights. @param l2  that of the head
  [[nodiscard]] virtual double penalty(double l2) = 0;
  /// Sum of squares of the last gradients plus the penalty's gradients, in double.
  [[nodiscard]] virtual double gradient_squared_norm(double l2) = 0;

  /// The weights as they are now.
  [[nodiscard]] virtual LayerArrays weights() = 0;
  /// In the shapes of weights().
  [[nodiscard]] virtual LayerArrays velocities() = 0;
  /// Goes on from earlier weights() and velocities(). @throws std::invalid_argument if the shapes disagree
  virtual void restore(LayerArrays weights, LayerArrays velocities) = 0;
};

}  // namespace headstart
