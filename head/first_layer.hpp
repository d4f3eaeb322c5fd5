// head/first_layer.hpp: the interface of what trains the first dense layer's kernel W, whose width (25,088)
// is the cost. Solvers share everything else. Bias, activation and the layers above are the trainer's.
#pragma once

#include <memory>
#include <span>

#include "head/feature_rows.hpp"
#include "head/matrix.hpp"

namespace headstart {

/// One step of SGD with L2, as Keras does it: g = dLoss/dW + 2 l2 W;  v = momentum v - learning_rate g;
/// then W += v, or with Nesterov W += momentum v - learning_rate g.
struct SgdStep {
  double learning_rate = 0.001;
  double momentum = 0.9;
  bool nesterov = false;
  double l2 = 0.0;  ///< lambda of lambda * sum(W^2)
};

/// The first layer's kernel in training.
class FirstLayer {
 public:
  virtual ~FirstLayer() = default;

  /// z = X[rows] W.
  /// @param rows  rows of the feature matrix given at construction
  /// @param z     [rows.size(), hidden]; overwritten
  virtual void forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z) = 0;

  /// One SGD step on the gradient X[batch]^T dz, and in the same pass over W the products of the rows needed
  /// next: next_z = X[next] W, with the new W.
  /// @param dz      [batch.size(), hidden], dLoss/dZ, already divided by the batch size
  /// @param next    may be empty
  /// @param next_z  [next.size(), hidden]; overwritten
  virtual void step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd,
                    std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z) = 0;

  /// sum(W^2), in double.
  [[nodiscard]] virtual double squared_norm() = 0;

  /// W, [columns, hidden].
  [[nodiscard]] virtual Matrix kernel() = 0;
};

/// The primal solver: W and velocity in memory, one pass over both per step (see primal_solver.hpp).
/// @param features  must outlive the result
/// @param kernel    W_0, [features.columns, hidden]
/// @param threads   0: all that the process may use; the result's bits do not depend on it
[[nodiscard]] std::unique_ptr<FirstLayer> make_primal_solver(const FeatureRows& features,
                                                             const Matrix& kernel, int threads);

}  // namespace headstart
