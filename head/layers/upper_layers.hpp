// head/layers/upper_layers.hpp: the layers after the first layer's product: its bias and ReLU, then the dense
// layers up to the logits. These layers are trained with the same SGD.
//
//   a_1 = relu(z_1 + b_1);  a_l = relu(a_{l-1} W_l + b_l);  logits = a_{L-1} W_L + b_L
//   L = 1: logits = z_1 + b_1
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "head/layers/dense.hpp"
#include "head/layers/first_layer.hpp"
#include "head/matrix.hpp"

namespace headstart {

/// Inverted dropout, as in Keras: after every ReLU an activation becomes 0 with probability `rate`, else it
/// is divided by 1 - rate.
struct Dropout {
  double rate = 0.0;
  std::uint64_t seed = 0;
};

class UpperLayers {
 public:
  /// @param layers  every layer of the head; the first one's kernel is not read, because its solver has it
  explicit UpperLayers(std::span<const Dense> layers);

  /// @param z  [rows, first layer's width], X W without bias
  /// @param dropout  in training only
  /// @return logits, [rows, classes]; valid until the next call; the caller may overwrite them
  [[nodiscard]] Matrix& forward(const Eigen::Ref<const Matrix>& z, const Dropout& dropout = {});

  /// Backpropagates through the last forward().
  /// @param dlogits  [rows, classes], dLoss/dlogits without L2; may be forward()'s result
  /// @return dLoss/dz, [rows, first layer's width]; valid until the next forward()
  [[nodiscard]] const Matrix& backward(const Matrix& dlogits);
  /// Sum of squares of the gradients that step() would use, L2 included, in double.
  [[nodiscard]] double gradient_squared_norm(double l2) const;
  /// Multiplies the gradients of backward(), dLoss/dz too.
  void scale_gradients(double scale);
  /// One SGD step along the gradients of backward().
  void step(const SgdStep& sgd);

  /// Sum of squares of the weights matrices above the first, in double.
  [[nodiscard]] double squared_norm() const noexcept { return squared_norm_; }

  /// The first layer's bias with an empty kernel, then the whole layers.
  [[nodiscard]] const std::vector<Dense>& layers() const noexcept { return layers_; }
  /// The velocities, in the shapes of layers().
  [[nodiscard]] const std::vector<Dense>& velocities() const noexcept { return velocities_; }

  /// Goes on from the values of an earlier layers() and velocities().
  /// @throws std::invalid_argument if the shapes disagree
  void restore(std::span<const Dense> layers, std::span<const Dense> velocities);

 private:
  // dLoss/dW with L2, of a layer above the first.
  [[nodiscard]] Matrix kernel_gradient(std::size_t layer, double l2) const;

  std::vector<Dense> layers_;
  std::vector<Dense> velocities_;
  std::vector<Matrix> activations_;  // of each layer; those of the last layer are the logits
  // dLoss/d(the layer's sum, to which its bias is added); the last gradients are dlogits
  std::vector<Matrix> gradients_;
  float kept_scale_ = 1.0F;  // the factor that the last forward() used for kept activations
  double squared_norm_ = 0.0;
};

}  // namespace headstart
