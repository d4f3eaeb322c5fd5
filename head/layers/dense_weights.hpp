// head/layers/dense_weights.hpp: the weights and velocities of a first layer on dense rows, transposed, and
// the two things that SGD does with them. They lie in slabs of outputs. A slab stays in L2 while it makes its
// step and its next products.
//
// Bound: a step with b rows computes 4 b d h flops, and moves 16 d h bytes of W and V. At d = 512 the weights
// of up to some 100 outputs stay in L2 from one step to the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "head/layers/dense_step.hpp"
#include "head/layers/first_layer.hpp"
#include "head/matrix.hpp"
#include "memory/aligned_floats.hpp"

namespace headstart {

/// Gathered rows, padded: [rows, gathered_stride()] on cache lines.
struct GatheredRows {
  const float* x = nullptr;
  std::size_t rows = 0;
};

/// The slabs of such weights: as many threads can share a step.
[[nodiscard]] std::int64_t dense_slabs(std::int64_t features, std::int64_t outputs) noexcept;

class DenseWeights {
 public:
  /// @param kernel  W_0, [features, outputs]
  explicit DenseWeights(const Matrix& kernel, const DenseRoutines& routines = best_dense_routines());

  [[nodiscard]] Eigen::Index outputs() const noexcept { return outputs_; }
  [[nodiscard]] std::size_t slabs() const noexcept { return slabs_.size(); }
  /// sum(W^2), in double.
  [[nodiscard]] double squared_norm() const noexcept;

  /// z = X W, of one slab's outputs. Slabs may run at the same time.
  /// @param z  [rows, outputs()]
  void forward(std::size_t slab, const GatheredRows& rows, Eigen::Ref<Matrix> z) const;
  /// One step of one slab along X^T dz. Slabs may run at the same time.
  /// @param dz  [rows, outputs()]
  void step(std::size_t slab, const GatheredRows& rows, const Eigen::Ref<const Matrix>& dz,
            const SgdStep& sgd);

  /// W, [features, outputs].
  [[nodiscard]] Matrix kernel() const;

  /// W^T and V^T, [outputs, padded_features()], and sum(W^2) of each slab.
  [[nodiscard]] std::span<const float> weights() const noexcept { return weights_.span(); }
  [[nodiscard]] std::span<const float> velocity() const noexcept { return velocity_.span(); }
  [[nodiscard]] std::vector<double> squared_norms() const;
  /// Goes on from the values of earlier weights(), velocity() and squared_norms().
  void restore(std::span<const float> weights, std::span<const float> velocity,
               std::span<const double> squared_norms);

 private:
  struct Slab {
    Eigen::Index first;  // its first output
    Eigen::Index outputs;
    AlignedFloats dz;  // of the last step, without gaps
    double squared_norm = 0.0;
  };
  [[nodiscard]] std::size_t place(const Slab& slab) const noexcept {
    return static_cast<std::size_t>(slab.first) * stride_;
  }

  DenseRoutines routines_;
  Eigen::Index features_;
  Eigen::Index outputs_;
  std::size_t stride_;
  AlignedFloats weights_;
  AlignedFloats velocity_;
  std::vector<Slab> slabs_;
};

}  // namespace headstart
