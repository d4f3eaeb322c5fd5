// head/layers/primal_solver.hpp: SGD on the first dense layer with W and its velocity V in memory. One pass
// over both makes a block of steps.
//
// A pass reads and writes 16 bytes per element of W: 411 MB at 25,088 x 1,024. If a pass makes one step with
// 32 rows at 10 % non-zeros, the pass has 1.4 FLOP for each byte. This ratio is far left of the ridge of any
// CPU, so one pass makes several steps. Take a block of the next s training rows, cut into batches. Let
// P = X_s W_0, Q = X_s V_0 and K = X_s X_s^T. Let D_r be dLoss/dz of a row whose step is done. Inside the
// block every step is exactly (sgd_recursion.hpp)
//
//   W = c W_0 + f V_0 + sum_r alpha_r x_r D_r^T,    V = e W_0 + g V_0 + sum_r beta_r x_r D_r^T
//
// with one alpha and beta for each batch. The products of the block's next batch b are
//
//   X_b W = c P_b + f Q_b + K[b, r] diag(alpha) D,  X_b V likewise
//
// and cost next to nothing. After the block's last step one pass forms W and V. While a tile is in cache, the
// pass also computes the tile's products with the rows needed next: those for the next block's P and Q, and
// validation rows. A block of one batch is the step as Keras makes it. The norm |W|^2 is carried through a
// block by recursion, and each pass sums it anew.
//
// Bound for a block of s rows in m batches, with d features, h hidden units and density p: 16 d h bytes and
// 8 s p d h + 22 d h flops. At s = 128, m = 4 a step has 103 MB and 0.80 GFLOP: 7.8 FLOP/byte. K adds s^2 p d
// flops, and each step inside the block adds 4 s b h.
//
// Layout: W lies in slabs of 64 columns, each slab contiguous [features, 64]. A thread streams its own slabs.
// The sums over rows and features stay in one thread, in one order, so the result is the same for any number
// of threads. A slab is processed in tiles of 256 features (64 KiB of W). docs/head-solvers.md has the
// measured share of the bound.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "head/layers/batch_by_feature.hpp"
#include "head/layers/column_slab.hpp"
#include "head/layers/first_layer.hpp"
#include "head/layers/primal_kernel.hpp"
#include "head/layers/step_block.hpp"
#include "head/layers/tiled_rows.hpp"
#include "head/matrix.hpp"
#include "head/workers.hpp"
#include "memory/aligned_floats.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// Whether steps are made in blocks where a plan allows it. A small W and V stay in cache between two steps.
/// There a block's additional products (P by V, K) would cost more than the block saves.
enum class Blocks { kNever, kAlways };
/// kAlways for W and V above 16 MB.
[[nodiscard]] Blocks blocks_for(const Matrix& kernel) noexcept;

class PrimalSolver final : public FirstLayer {
 public:
  /// See make_first_layer. @param routines  the inner loops to use
  /// @throws std::invalid_argument if W_0 has no column, or not one row for each feature
  PrimalSolver(const SparseRowsView& features, const Matrix& kernel, int threads,
               const PrimalKernel& routines, Blocks blocks);

  void forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z, const Plan& plan = {}) override;
  void step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd,
            std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z, const Plan& plan = {}) override;
  [[nodiscard]] double squared_norm() override;
  /// dLoss/dX of `rows` at the entries of X, before the step along dz: dz W^T.
  /// @param dz  [rows.size(), hidden]
  /// @return one value for each entry, row after row
  [[nodiscard]] std::vector<float> input_gradient(std::span<const RowIndex> rows,
                                                  const Eigen::Ref<const Matrix>& dz);
  /// The terms of squared_norm(), one for each slab of columns. The sum of the terms in this order is
  /// squared_norm().
  [[nodiscard]] std::vector<double> squared_norms();
  void use_rows(const SparseRowsView& rows) override;
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
    std::size_t offset = 0;  // where its first float is in kernel_ and velocity_
    KernelNorms norms;
    double remembered_squared_norm = 0.0;
    AlignedFloats p;       // [block, width]: X_s W_0
    AlignedFloats q;       // [block, width]: X_s V_0
    AlignedFloats dz;      // [block, width]: D
    std::vector<float> z;  // [rows, width]: X W of the block's next batch, or of other rows
    std::vector<float> y;  // [rows, width]: X V of the block's next batch
  };
  [[nodiscard]] Eigen::Index hidden() const noexcept;
  // The slab's floats in kernel_ or velocity_, and the floats of one of its tiles.
  [[nodiscard]] std::span<float> slab_of(AlignedFloats& floats, const Slab& slab) const;
  [[nodiscard]] std::span<float> tile_of(AlignedFloats& floats, const Slab& slab, std::size_t tile) const;
  void load(const Matrix& kernel, Slab& slab);

  void load_gradient(const Eigen::Ref<const Matrix>& dz, Slab& slab) const;
  void carry_norms(const Matrix& batch_kernel, const SgdStep& sgd, Slab& slab) const;
  // X W of the block's next rows (weights_in_kernel()), and X V.
  void multiply_in_block(const Matrix& in_kernel, const Matrix& in_velocity, Slab& slab) const;

  // Forms W and V after the block's steps, if there are any. Then computes the products of `rows` and of the
  // planned rows, which are the next block.
  void pass(std::span<const RowIndex> rows, Eigen::Ref<Matrix>& z, const Plan& plan);
  void weigh_entries(const StepBlock& ended);
  void pass_slab(const StepBlock& ended, std::span<const RowIndex> others, std::span<const RowIndex> planned,
                 Slab& slab);
  void combine_tile(const StepBlock& ended, std::size_t tile, Slab& slab);
  // Ends the block, so that kernel_ and velocity_ hold W and V.
  void finish_block();

  PrimalKernel routines_;
  Blocks blocks_;
  Workers workers_;
  TiledRows rows_;
  std::vector<Slab> slabs_;
  AlignedFloats kernel_;      // slab after slab
  AlignedFloats velocity_;    // the same layout
  AlignedFloats remembered_;  // the same layout; empty until it is needed
  StepBlock block_;
  bool norms_carried_ = true;            // through every step of the block so far
  BatchByFeature by_feature_;            // of a block that ended
  std::vector<WeightedEntry> weighted_;  // the block's entries with their weights
};

}  // namespace headstart
