// head/first_layer.hpp: the interface of what trains the first dense layer's kernel W, whose width (25,088)
// is the cost. Solvers share everything else. Bias, activation and the layers above are the trainer's.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "head/feature_rows.hpp"
#include "head/matrix.hpp"
#include "head/process_group.hpp"
#include "head/solver.hpp"

namespace headstart {

/// One step of SGD with L2, as Keras does it: g = dLoss/dW + 2 l2 W;  v = momentum v - learning_rate g;
/// then W += v, or with Nesterov W += momentum v - learning_rate g.
struct SgdStep {
  double learning_rate = 0.001;
  double momentum = 0.9;
  bool nesterov = false;
  double l2 = 0.0;  ///< lambda of lambda * sum(W^2)
  /// What l2 and the loss's gradient are multiplied with already, so that the gradient is clipped.
  double gradient_scale = 1.0;
};

/// What a first layer knows beyond what it was made from: a view, valid until the layer's next step. Only a
/// layer of the same kind, made from the same rows and W_0, can take it back.
struct FirstLayerState {
  std::vector<double> numbers;
  std::vector<std::span<const float>> arrays;
};

/// What comes after the next batch: a hint that changes rounding and speed, no more.
struct Plan {
  /// The rows of the steps to come, the next batch first. More than kMostPlannedRows are of no use.
  std::span<const RowIndex> rows;
  std::size_t batch = 0;  ///< how many of them are the next batch
};
inline constexpr std::size_t kMostPlannedRows = 128;

/// The first layer's kernel in training.
class FirstLayer {
 public:
  virtual ~FirstLayer() = default;

  /// z = X[rows] W.
  /// @param rows  rows of the feature matrix given at construction
  /// @param z     [rows.size(), hidden]; overwritten
  /// @param plan  if its next batch is the last of `rows`
  virtual void forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z, const Plan& plan = {}) = 0;

  /// One SGD step on the gradient X[batch]^T dz, and the products of the rows needed next: next_z = X[next]
  /// W, with the new W.
  /// @param dz      [batch.size(), hidden], dLoss/dZ, already divided by the batch size
  /// @param next    may be empty
  /// @param next_z  [next.size(), hidden]; overwritten
  /// @param plan    if its next batch is the last of `next`
  virtual void step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd,
                    std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z, const Plan& plan = {}) = 0;

  /// sum(W^2), in double.
  [[nodiscard]] virtual double squared_norm() = 0;

  /// What the loss includes for this layer: l2 sum(W^2), and what it is penalised for besides.
  [[nodiscard]] virtual double penalty(double l2);

  /// Sum of squares of the gradient that step() would take with this batch and dz, L2 included, in double.
  /// @throws std::logic_error if this kind of layer can't tell
  [[nodiscard]] virtual double gradient_squared_norm(std::span<const RowIndex> batch,
                                                     const Eigen::Ref<const Matrix>& dz, double l2);

  /// From now on row indices are of these, in place of the rows that this was made from.
  /// @param rows  must outlive what uses them; as many columns
  /// @throws std::logic_error if this kind of layer needs all of its rows at all times
  virtual void use_rows(const FeatureRows& rows);

  /// W, [columns, hidden]. Ends this solver's work: nothing may be called afterwards.
  [[nodiscard]] virtual Matrix release_kernel() = 0;

  /// Keeps a copy of W, in place of the one kept before.
  virtual void remember() = 0;
  /// Goes back to the kept W, for good: what follows may be forward(), squared_norm() and
  /// release_kernel(), no step().
  virtual void recall() = 0;

  /// Everything that the steps so far have changed, the W of remember() included.
  /// @throws std::logic_error if this kind of layer has no such state
  [[nodiscard]] virtual FirstLayerState state();
  /// Goes on from there: every later step gives the bits that it would have given where the state comes from.
  /// @throws std::invalid_argument if the state is not one of this kind and these shapes
  virtual void set_state(const FirstLayerState& state);
};

/// Any solver but kAuto.
/// @param features  must outlive the result
/// @param kernel    W_0, [features.columns, hidden]
/// @param training  the rows that batches are made of
/// @param threads   0: all that the process may use; the result's bits do not depend on it
/// @param processes must outlive the result; what shares kPrimal's work with this process; may be null
[[nodiscard]] std::unique_ptr<FirstLayer> make_first_layer(Solver solver, const FeatureRows& features,
                                                           Matrix kernel, std::span<const RowIndex> training,
                                                           int threads, ProcessGroup* processes = nullptr);

}  // namespace headstart
