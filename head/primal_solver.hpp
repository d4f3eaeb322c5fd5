// head/primal_solver.hpp: SGD on the first dense layer with W and its velocity V in memory, one pass over
// both for every block of steps.
//
// A pass reads and writes 16 bytes per element of W: 411 MB at 25,088 x 1,024, and with a batch of 32 rows at
// 10 % non-zeros it has 1.4 FLOP for each byte, far left of the ridge of any CPU. So a pass takes several
// steps at once. For a block of s rows that are trained on next, in batches, let P = X_s W_0, Q = X_s V_0 and
// K = X_s X_s^T. Inside the block, D_r = dLoss/dz of a row whose step is done, every step is exactly
// (sgd_recursion.hpp)
//
//   W = c W_0 + f V_0 + sum_r alpha_r x_r D_r^T,    V = e W_0 + g V_0 + sum_r beta_r x_r D_r^T
//
// with one alpha and beta for each batch, and so are the products of the block's next batch b:
//
//   X_b W = c P_b + f Q_b + K[b, r] diag(alpha) D,  X_b V likewise
//
// which cost next to nothing. After the block's last step one pass forms W and V, and while a tile is in
// cache, its products with the rows needed next: the next block's P and Q, validation rows. A block of one
// batch is the step as Keras does it. |W|^2 is carried through a block by recursion and summed anew by each
// pass.
//
// Bound for a block of s rows in m batches, d features, h hidden, density p: 16 d h bytes and 8 s p d h + 22
// d h flops; at s = 128, m = 4: 103 MB and 0.80 GFLOP a step: 7.8 FLOP/byte. K adds s^2 p d flops, the steps
// inside 4 s b h each.
//
// Layout: columns of W in slabs of 64, each slab contiguous [features, 64], so that a thread streams its own
// slabs and the sums over rows and features stay in one thread, in one order: the same bits for any thread
// count. A slab is walked in tiles of 256 features (64 KiB of W). docs/head.md has the measured share of the
// bound.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "head/batch_by_feature.hpp"
#include "head/column_slab.hpp"
#include "head/feature_rows.hpp"
#include "head/first_layer.hpp"
#include "head/matrix.hpp"
#include "head/primal_kernel.hpp"
#include "head/step_block.hpp"
#include "head/tiled_rows.hpp"
#include "head/workers.hpp"
#include "memory/aligned_floats.hpp"

namespace headstart {

/// Whether steps are taken in blocks where a plan allows it. A small W and V stay in cache between two steps,
/// and a block's further products (P by V, K) would cost more than it saves.
enum class Blocks { kNever, kAlways };
/// kAlways for W and V above 16 MB.
[[nodiscard]] Blocks blocks_for(const Matrix& kernel) noexcept;

class PrimalSolver final : public FirstLayer {
 public:
  /// See make_first_layer. @param routines  which variant of the inner loops to run
  /// @throws std::invalid_argument if W_0 has not one row per feature, or no column
  PrimalSolver(const FeatureRows& features, const Matrix& kernel, int threads, const PrimalKernel& routines,
               Blocks blocks);

  void forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z, const Plan& plan = {}) override;
  void step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd,
            std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z, const Plan& plan = {}) override;
  [[nodiscard]] double squared_norm() override;
  /// dLoss/dX of `rows` where X has entries, before the step along dz: dz W^T.
  /// @param dz  [rows.size(), hidden]
  /// @return one value for each entry, row after row
  [[nodiscard]] std::vector<float> input_gradient(std::span<const RowIndex> rows,
                                                  const Eigen::Ref<const Matrix>& dz);
  /// Its terms, one for each slab of columns; their sum in this order is squared_norm().
  [[nodiscard]] std::vector<double> squared_norms();
  void use_rows(const FeatureRows& rows) override;
  [[nodiscard]] Matrix release_kernel() override { return kernel(); }
  /// W as it is now.
  [[nodiscard]] Matrix kernel();
  void remember() override;
  void recall() override;
  /// numbers: |W|^2, <W, V> and |V|^2 of each slab, then |W|^2 of each slab of the remembered W.
  [[nodiscard]] FirstLayerState state() override;
  void set_state(const FirstLayerState& state) override;

 private:
  struct Slab {
    ColumnSlab columns;
    std::size_t offset = 0;  // of its first float in kernel_ and velocity_
    KernelNorms norms;
    double remembered_squared_norm = 0.0;
    AlignedFloats p;       // [block, width]: X_s W_0
    AlignedFloats q;       // [block, width]: X_s V_0
    AlignedFloats dz;      // [block, width]: D
    std::vector<float> z;  // [rows, width]: X W of the block's next batch, or of other rows
    std::vector<float> y;  // X V of the block's next batch
  };
  [[nodiscard]] Eigen::Index hidden() const noexcept;
  // The slab's floats in kernel_ or velocity_, and those of one of its tiles.
  [[nodiscard]] std::span<float> slab_of(AlignedFloats& floats, const Slab& slab) const;
  [[nodiscard]] std::span<float> tile_of(AlignedFloats& floats, const Slab& slab, std::size_t tile) const;
  void load(const Matrix& kernel, Slab& slab);

  void load_gradient(const Eigen::Ref<const Matrix>& dz, Slab& slab) const;
  void carry_norms(const Matrix& batch_kernel, const SgdStep& sgd, Slab& slab) const;
  // X W of the block's next rows (weights_in_kernel()), and X V.
  void multiply_in_block(const Matrix& in_kernel, const Matrix& in_velocity, Slab& slab) const;

  // W and V after the block's steps if there are any; then the products of `rows` and of what is planned,
  // which is the next block.
  void pass(std::span<const RowIndex> rows, Eigen::Ref<Matrix>& z, const Plan& plan);
  void weigh_entries(const StepBlock& ended);
  void pass_slab(const StepBlock& ended, std::span<const RowIndex> others, std::span<const RowIndex> planned,
                 Slab& slab);
  void combine_tile(const StepBlock& ended, std::size_t tile, Slab& slab);
  // So that kernel_ and velocity_ are W and V.
  void finish_block();

  PrimalKernel routines_;
  Blocks blocks_;
  Workers workers_;
  TiledRows rows_;
  std::vector<Slab> slabs_;
  AlignedFloats kernel_;      // slab after slab
  AlignedFloats velocity_;    // the same layout
  AlignedFloats remembered_;  // the same; empty until it is needed
  StepBlock block_;
  bool norms_carried_ = true;            // through every step of the block so far
  BatchByFeature by_feature_;            // of an ended block
  std::vector<WeightedEntry> weighted_;  // its entries
};

}  // namespace headstart
