// head/gram_solver.hpp: SGD on the first dense layer in the space of the training rows instead of the
// features.
//
// Every gradient is a combination of training rows, so with n of them W_t = c_t W_0 + X^T A_t and the
// velocity V_t = e_t W_0 + X^T B_t hold exactly, with A and B [n, hidden]. Substituted into the step of
// first_layer.hpp, A and B obey the very same step, with the batch's rows of dz in place of X[batch]^T dz:
//
//   B' = mu B - lr (E^T dz + 2 l2 A),   A' = A + B'    (Nesterov: A' = A + mu B' - lr (E^T dz + 2 l2 A))
//
// where E picks the batch's rows, and so do the scalars c and e (from 1 and 0) without a gradient. Products
// need the kernel matrix K = X X^T only:  X_r W = c (X W_0)_r + K[r, train] A,  X_r V = e (X W_0)_r + K[r,
// train] B. |W|^2, which the reported loss needs, is carried with <W, V> and |V|^2 in double; with G =
// X[batch]^T dz,
//   <W, G> = sum(X_b W o dz),  <V, G> = sum(X_b V o dz),  |G|^2 = tr(dz^T K_bb dz).
//
// Bound: a step with b rows, b next ones and L2 computes 4 b n h flops (2 b n h without) and moves 16 n h
// bytes, against 16 d h bytes of the primal solver: at n = 314, h = 1,024, b = 32: 41 MFLOP on 5 MB, which
// stay in L2, against 411 MB from memory. Set-up: K, X W_0, and W once at the end; see kernel_matrix.hpp,
// sparse_product.hpp.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "head/batch_by_feature.hpp"
#include "head/column_slab.hpp"
#include "head/feature_rows.hpp"
#include "head/first_layer.hpp"
#include "head/matrix.hpp"
#include "head/primal_kernel.hpp"
#include "head/sgd_recursion.hpp"
#include "head/tiled_rows.hpp"
#include "head/workers.hpp"
#include "memory/aligned_floats.hpp"

namespace headstart {

/// What a run needs of the features and W_0; runs on the same rows share K, runs from the same W_0 all of it.
struct GramBasis {
  std::shared_ptr<const Matrix> kernel_matrix;     ///< K = X X^T of all rows, [rows, rows]
  std::shared_ptr<const Matrix> initial_products;  ///< X W_0 of all rows, [rows, hidden]
  double initial_squared_norm = 0.0;               ///< |W_0|^2
};

class GramSolver final : public FirstLayer {
 public:
  /// @param training  the rows that batches are made of
  /// @param threads   0: all that the process may use; the bits do not depend on it
  /// @throws std::invalid_argument if the shapes disagree or a training row is not one of K's
  GramSolver(GramBasis basis, std::span<const RowIndex> training, int threads);

  /// From features and W_0; release_kernel() can then form W.
  /// @param features  must outlive this
  GramSolver(const FeatureRows& features, Matrix initial_kernel, std::span<const RowIndex> training,
             int threads);

  void forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z, const Plan& plan = {}) override;
  /// @throws std::invalid_argument also for a batch row that is not a training row
  void step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd,
            std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z, const Plan& plan = {}) override;
  /// Exact while every step so far had L2 (carried), else from A: n^2 hidden multiply-adds.
  [[nodiscard]] double squared_norm() override;
  /// W = c W_0 + X^T A, formed where W_0 was. @throws std::logic_error if this was made from a GramBasis
  [[nodiscard]] Matrix release_kernel() override;
  void remember() override;
  void recall() override;
  [[nodiscard]] FirstLayerState state() override;
  void set_state(const FirstLayerState& state) override;

 private:
  GramSolver(TiledRows features, Matrix initial_kernel, std::span<const RowIndex> training, int threads);

  struct Slab {
    ColumnSlab columns;
    AlignedFloats a;            // [training, width]
    AlignedFloats b;            // the same
    AlignedFloats remembered;   // of a
    AlignedFloats dz;           // [batch, width]
    std::vector<float> z;       // [next, width]: K A
    std::vector<float> y;       // [next, width]: K B
    GradientProducts gradient;  // its share
  };
  [[nodiscard]] Eigen::Index hidden() const noexcept { return basis_.initial_products->cols(); }
  // Rows that products are known of: their rows of K, X W, and X V if asked for.
  void expect(std::span<const RowIndex> rows, bool velocity);
  void clear_products(Slab& slab) const;
  void multiply(std::size_t first, std::size_t count, Slab& slab) const;
  void keep_products(Slab& slab);
  void multiply_all(std::span<const RowIndex> rows, bool velocity);
  // Makes sure that the batch is among them; returns where it begins.
  [[nodiscard]] std::size_t know(std::span<const RowIndex> batch);

  void assign_batch(std::span<const RowIndex> batch);
  static void load_gradient(const Eigen::Ref<const Matrix>& dz, Slab& slab);
  void multiply_gradient(std::size_t first_known, Slab& slab) const;
  void update(std::size_t first, std::size_t count, const SgdStep& sgd, Slab& slab) const;
  [[nodiscard]] KernelNorms exact_norms();

  GramBasis basis_;
  PrimalKernel routines_ = best_primal_kernel();
  std::optional<TiledRows> features_;  // only if made from features
  Matrix initial_kernel_;              // W_0; the same
  Workers workers_;
  std::vector<RowIndex> training_;
  std::vector<std::int32_t> positions_;  // of each row in training_; -1: not there
  std::vector<Slab> slabs_;
  Coordinates initial_{1.0, 0.0};  // c and e: of W_0
  double remembered_c_ = 1.0;
  std::optional<KernelNorms> norms_;  // nothing after a step without L2
  std::optional<KernelNorms> remembered_norms_;

  // The batch as the update wants it: training position -> its rows of dz.
  std::vector<std::int64_t> offsets_;
  std::vector<BatchEntry> entries_;
  Matrix batch_kernel_;  // K[batch, batch]
  // Rows that were multiplied, usually with the next batch among them.
  struct Known {
    std::vector<RowIndex> rows;
    bool velocity = false;  // whether y is known
    Matrix kernel;          // K[rows, training]
    Matrix z;               // X[rows] W
    Matrix y;               // X[rows] V
  };
  Known known_;     // by W and V as they are
  Known previous_;  // in a step, by those before it
};

}  // namespace headstart
