// head/layers/first_layer.hpp: the interface of the solvers, which train the kernel W of the first dense
// layer. The 25,088 rows of W are nearly all of the cost. Bias, activation and the layers above belong to the
// trainer.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "head/layers/process_group.hpp"
#include "head/layers/solver.hpp"
#include "head/matrix.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// One step of SGD with L2, as Keras does it: g = dLoss/dW + 2 l2 W;  v = momentum v - learning_rate g;
/// then W += v, or with Nesterov W += momentum v - learning_rate g.
struct SgdStep {
  double learning_rate = 0.001;
  double momentum = 0.9;
  bool nesterov = false;
  double l2 = 0.0;  ///< lambda of lambda * sum(W^2)
  /// The factor by which l2 and the loss's gradient are already multiplied, in order to clip the gradient.
  double gradient_scale = 1.0;
};

/// The state of a first layer beyond its constructor's arguments: a view, valid until the layer's next step.
/// Only a layer of the same kind, made from the same rows and W_0, can take it back.
struct FirstLayerState {
  std::vector<double> numbers;
  std::vector<std::span<const float>> arrays;
};

/// The rows that come after the next batch. A plan is a hint: it changes only rounding and speed.
struct Plan {
  /// The rows of the steps to come, the next batch first. Rows beyond kMostPlannedRows are not used.
  std::span<const RowIndex> rows;
  std::size_t batch = 0;  ///< how many of `rows` are the next batch
};
inline constexpr std::size_t kMostPlannedRows = 128;

/// The first layer's kernel while it is trained.
class FirstLayer {
 public:
  virtual ~FirstLayer() = default;

  /// z = X[rows] W.
  /// @param rows  rows of the feature matrix that the constructor got
  /// @param z     [rows.size(), hidden]; overwritten
  /// @param plan  used only if its next batch is the last part of `rows`
  virtual void forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z, const Plan& plan = {}) = 0;

  /// Makes one SGD step along the gradient X[batch]^T dz. Then computes the products of the rows needed next
  /// with the new W: next_z = X[next] W.
  /// @param dz      [batch.size(), hidden], dLoss/dZ, already divided by the batch size
  /// @param next    may be empty
  /// @param next_z  [next.size(), hidden]; overwritten
  /// @param plan    used only if its next batch is the last part of `next`
  virtual void step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd,
                    std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z, const Plan& plan = {}) = 0;

  /// sum(W^2), in double.
  [[nodiscard]] virtual double squared_norm() = 0;

  /// The loss's penalty for this layer: l2 sum(W^2), and further penalties of some kinds of layer.
  [[nodiscard]] virtual double penalty(double l2);

  /// Sum of squares, in double, of the gradient that step() would take with this batch and dz, L2 included.
  /// @throws std::logic_error if this kind of layer can't compute it
  [[nodiscard]] virtual double gradient_squared_norm(std::span<const RowIndex> batch,
                                                     const Eigen::Ref<const Matrix>& dz, double l2);

  /// Replaces the rows that this was made from; from now on row indices mean the new rows.
  /// @param rows  must outlive every use; as many columns as before
  /// @throws std::logic_error if this kind of layer needs all of its rows at all times
  virtual void use_rows(const SparseRowsView& rows);

  /// Returns W, [columns, hidden], and ends this solver's work: call nothing afterwards.
  [[nodiscard]] virtual Matrix release_kernel() = 0;

  /// Keeps a copy of W in place of the last copy.
  virtual void remember() = 0;
  /// Goes back to the kept W, for good. Afterwards only forward(), squared_norm() and release_kernel() may be
  /// called, no step().
  virtual void recall() = 0;

  /// Everything that the steps so far have changed, including the W of remember().
  /// @throws std::logic_error if this kind of layer has no such state
  [[nodiscard]] virtual FirstLayerState state();
  /// Goes on from `state`: every later step gives exactly the result that it would have given in the layer of
  /// that state.
  /// @throws std::invalid_argument if the state is not one of this kind and these shapes
  virtual void set_state(const FirstLayerState& state);
};

/// Any solver but kAuto.
/// @param features  must outlive the result
/// @param kernel    W_0, [features.columns, hidden]
/// @param training  the rows that batches are made of
/// @param threads   0: all that the process may use; the result does not depend on it
/// @param processes the processes that share kPrimal's work with this one; must outlive the result; may be
/// null
[[nodiscard]] std::unique_ptr<FirstLayer> make_first_layer(Solver solver, const SparseRowsView& features,
                                                           Matrix kernel, std::span<const RowIndex> training,
                                                           int threads, ProcessGroup* processes = nullptr);

}  // namespace headstart
