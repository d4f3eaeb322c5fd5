// head/layers/gram_solver.hpp: SGD on the first dense layer that works with the training rows instead of the
// features.
//
// Every gradient is a combination of training rows. So with n training rows, W_t = c_t W_0 + X^T A_t and the
// velocity V_t = e_t W_0 + X^T B_t hold exactly. A and B are [n, hidden]. In the step of first_layer.hpp, A
// and B take the very same step, with the batch's rows of dz in place of X[batch]^T dz:
//
//   B' = mu B - lr (E^T dz + 2 l2 A),   A' = A + B'    (Nesterov: A' = A + mu B' - lr (E^T dz + 2 l2 A))
//
// where E selects the batch's rows. The scalars c and e begin at 1 and 0 and take the same step without a
// gradient. All products need only the Gram matrix K = X X^T:
//
//   X_r W = c (X W_0)_r + K[r, train] A,   X_r V = e (X W_0)_r + K[r, train] B
//
// The reported loss needs |W|^2, which is carried in double with <W, V> and |V|^2. With G = X[batch]^T dz,
//
//   <W, G> = sum(X_b W o dz),  <V, G> = sum(X_b V o dz),  |G|^2 = tr(dz^T K_bb dz).
//
// Bound: a step with b rows, b next ones and L2 computes 4 b n h flops (2 b n h without L2) and moves 16 n h
// bytes. The primal solver moves 16 d h bytes. At n = 314, h = 1,024, b = 32 a step is 41 MFLOP on 5 MB,
// which stay in L2. The primal solver moves 411 MB from memory. Set-up costs K and X W_0, and the end costs W
// once; see kernel_matrix.hpp, sparse_product.hpp.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "head/layers/batch_by_feature.hpp"
#include "head/layers/column_slab.hpp"
#include "head/layers/first_layer.hpp"
#include "head/layers/primal_kernel.hpp"
#include "head/layers/sgd_recursion.hpp"
#include "head/layers/tiled_rows.hpp"
#include "head/matrix.hpp"
#include "head/workers.hpp"
#include "memory/aligned_floats.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// What a run needs of the features and W_0. Runs on the same rows share K; runs from the same W_0 share all
/// of it.
struct GramBasis {
  std::shared_ptr<const Matrix> kernel_matrix;     ///< K = X X^T of all rows, [rows, rows]
  std::shared_ptr<const Matrix> initial_products;  ///< X W_0 of all rows, [rows, hidden]
  double initial_squared_norm = 0.0;               ///< |W_0|^2
};

class GramSolver final : public FirstLayer {
 public:
  /// @param training  the rows that batches are made of
  /// @param threads   0: all that the process may use; the result does not depend on it
  /// @throws std::invalid_argument if the shapes disagree or a training row is not a row of K
  GramSolver(GramBasis basis, std::span<const RowIndex> training, int threads);

  /// From features and W_0. Then release_kernel() can form W.
  /// @param features  must outlive this
  GramSolver(const SparseRowsView& features, Matrix initial_kernel, std::span<const RowIndex> training,
             int threads);

  void forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z, const Plan& plan = {}) override;
  /// @throws std::invalid_argument also for a batch row that is not a training row
  void step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd,
            std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z, const Plan& plan = {}) override;
  /// Exact while every step so far had L2 (then the norm is carried). Otherwise computed from A: n^2 hidden
  /// multiply-adds.
  [[nodiscard]] double squared_norm() override;
  /// W = c W_0 + X^T A, formed in the memory of W_0. @throws std::logic_error if this was made from a
  /// GramBasis
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
    AlignedFloats b;            // [training, width]
    AlignedFloats remembered;   // a copy of a
    AlignedFloats dz;           // [batch, width]
    std::vector<float> z;       // [next, width]: K A
    std::vector<float> y;       // [next, width]: K B
    GradientProducts gradient;  // the sums over the slab's columns
  };
  [[nodiscard]] Eigen::Index hidden() const noexcept { return basis_.initial_products->cols(); }
  // Sets the rows whose products are known: their rows of K, X W and, if `velocity`, X V.
  void expect(std::span<const RowIndex> rows, bool velocity);
  void clear_products(Slab& slab) const;
  void multiply(std::size_t first, std::size_t count, Slab& slab) const;
  void keep_products(Slab& slab);
  void multiply_all(std::span<const RowIndex> rows, bool velocity);
  // Makes sure that the products of the batch are known. @return where the batch begins in known_
  [[nodiscard]] std::size_t know(std::span<const RowIndex> batch);

  void assign_batch(std::span<const RowIndex> batch);
  static void load_gradient(const Eigen::Ref<const Matrix>& dz, Slab& slab);
  void multiply_gradient(std::size_t first_known, Slab& slab) const;
  void update(std::size_t first, std::size_t count, const SgdStep& sgd, Slab& slab) const;
  [[nodiscard]] KernelNorms exact_norms();

  GramBasis basis_;
  PrimalKernel routines_ = best_primal_kernel();
  std::optional<TiledRows> features_;  // only if made from features
  Matrix initial_kernel_;              // W_0; only if made from features
  Workers workers_;
  std::vector<RowIndex> training_;
  std::vector<std::int32_t> positions_;  // the place of each row in training_; -1: not there
  std::vector<Slab> slabs_;
  Coordinates initial_{1.0, 0.0};  // c and e, the shares of W_0
  double remembered_c_ = 1.0;
  std::optional<KernelNorms> norms_;  // empty after a step without L2
  std::optional<KernelNorms> remembered_norms_;

  // The batch in the order of the update: training position -> its rows of dz.
  std::vector<std::int64_t> offsets_;
  std::vector<BatchEntry> entries_;
  Matrix batch_kernel_;  // K[batch, batch]
  // Rows whose products were computed; usually the next batch is among them.
  struct Known {
    std::vector<RowIndex> rows;
    bool velocity = false;  // whether y is known
    Matrix kernel;          // K[rows, training]
    Matrix z;               // X[rows] W
    Matrix y;               // X[rows] V
  };
  Known known_;     // with W and V as they are
  Known previous_;  // during a step: with W and V before the step
};

}  // namespace headstart
