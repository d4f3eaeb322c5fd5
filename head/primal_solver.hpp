// head/primal_solver.hpp: SGD on the first dense layer with W and its velocity V in memory, one pass over
// both per step.
//
// Layout: columns of W in slabs of 64, each slab contiguous [features, 64], so that a thread streams its own
// slabs and the sums over rows and features stay in one thread, in one order: the same bits for any thread
// count. A slab is walked in tiles of 256 features (64 KiB of W): gradient, velocity, W and sum(W^2) of the
// tile first, then, while it is in cache, its products with the rows needed next, however many those are.
//
// Bound: a step moves 16 bytes per element of W (read and write W and V): 411 MB at 25,088 x 1,024. With a
// batch and a next batch of 32 rows at 10 % non-zeros it computes 4 * 32 * 2,509 * 1,024 + 9 * 25.7 M = 0.56
// GFLOP, 1.4 FLOP/byte: far left of the ridge of any CPU, so bandwidth-bound. docs/head.md has the measured
// share of the bandwidth.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "head/aligned_floats.hpp"
#include "head/batch_by_feature.hpp"
#include "head/column_slab.hpp"
#include "head/feature_rows.hpp"
#include "head/first_layer.hpp"
#include "head/matrix.hpp"
#include "head/primal_kernel.hpp"
#include "head/tiled_rows.hpp"
#include "head/workers.hpp"

namespace headstart {

class PrimalSolver final : public FirstLayer {
 public:
  /// See make_first_layer. @param routines  which variant of the inner loops to run
  /// @throws std::invalid_argument if W_0 has not one row per feature, or no column
  PrimalSolver(const FeatureRows& features, const Matrix& kernel, int threads, const PrimalKernel& routines);

  void forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z) override;
  void step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd,
            std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z) override;
  [[nodiscard]] double squared_norm() override;
  void use_rows(const FeatureRows& rows) override;
  [[nodiscard]] Matrix release_kernel() override { return kernel(); }
  /// W as it is now.
  [[nodiscard]] Matrix kernel();
  void remember() override;
  void recall() override;
  [[nodiscard]] FirstLayerState state() override;
  void set_state(const FirstLayerState& state) override;

 private:
  struct Slab {
    ColumnSlab columns;
    std::size_t offset = 0;  // of its first float in kernel_ and velocity_
    double squared_norm = 0.0;
    double remembered_squared_norm = 0.0;
    AlignedFloats dz;      // [batch, width]
    std::vector<float> z;  // [next, width]
  };

  [[nodiscard]] Eigen::Index hidden() const noexcept;
  // The slab's floats in kernel_ or velocity_, and those of one of its tiles.
  [[nodiscard]] std::span<float> slab_of(AlignedFloats& floats, const Slab& slab) const;
  [[nodiscard]] std::span<float> tile_of(AlignedFloats& floats, const Slab& slab, std::size_t tile) const;
  void load(const Matrix& kernel, Slab& slab);
  void step_slab(const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd, std::span<const RowIndex> next,
                 Eigen::Ref<Matrix>& next_z, Slab& slab);

  PrimalKernel routines_;
  Workers workers_;
  TiledRows rows_;
  std::vector<Slab> slabs_;
  AlignedFloats kernel_;      // slab after slab
  AlignedFloats velocity_;    // the same layout
  AlignedFloats remembered_;  // the same; empty until it is needed
  BatchByFeature batch_;
};

}  // namespace headstart
