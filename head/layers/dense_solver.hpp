// head/layers/dense_solver.hpp: SGD on the first dense layer for dense rows, with W and its velocity in
// memory: the primal solver for pooled features. One step after another, as Keras makes them.
//
// A thread has its own slabs of outputs. Sums stay in one thread, in one order, so the result is the same for
// any number of threads.
#pragma once

#include <span>
#include <vector>

#include "head/layers/affine_rows.hpp"
#include "head/layers/dense_weights.hpp"
#include "head/layers/first_layer.hpp"
#include "head/matrix.hpp"
#include "head/workers.hpp"
#include "memory/aligned_floats.hpp"

namespace headstart {

class DenseSolver final : public FirstLayer {
 public:
  /// See make_first_layer().
  /// @param rows  what its spans refer to must outlive this
  /// @throws std::invalid_argument if W_0 has no column, or not one row for each feature
  DenseSolver(const AffineRows& rows, const Matrix& kernel, int threads,
              const DenseRoutines& routines = best_dense_routines());

  void forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z, const Plan& plan = {}) override;
  void step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd,
            std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z, const Plan& plan = {}) override;
  [[nodiscard]] double squared_norm() override;
  [[nodiscard]] Matrix release_kernel() override;
  void remember() override;
  void recall() override;
  /// numbers: |W|^2 of each slab, then those of the remembered W.
  [[nodiscard]] FirstLayerState state() override;
  void set_state(const FirstLayerState& state) override;

 private:
  [[nodiscard]] GatheredRows gather(std::span<const RowIndex> rows, AlignedFloats& x) const;
  // The rows of the batch; step() has gathered them already if they are the ones that were due next.
  [[nodiscard]] GatheredRows gathered(std::span<const RowIndex> batch);
  void multiply_many(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z);

  AffineRows rows_;
  DenseRoutines routines_;
  Workers workers_;
  DenseWeights weights_;
  std::vector<float> remembered_;  // W^T; empty until it is needed
  std::vector<double> remembered_squared_norms_;
  std::vector<RowIndex> known_;  // the rows in x_
  AlignedFloats x_;
  AlignedFloats next_x_;
};

}  // namespace headstart
