// head/layers/step_block.hpp: SGD steps that are done but not yet in W and V, as numbers: see
// primal_solver.hpp.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "head/layers/first_layer.hpp"
#include "head/layers/sgd_recursion.hpp"
#include "head/matrix.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// The rows of a block in training order. Let D_r be the gradient of a row that is done. Invariant:
/// W = c W_0 + f V_0 + sum_r alpha_r x_r D_r^T and V = e W_0 + g V_0 + sum_r beta_r x_r D_r^T.
class StepBlock {
 public:
  StepBlock() = default;
  /// @param kernel  the rows' Gram matrix K = X_s X_s^T
  StepBlock(std::span<const RowIndex> rows, Matrix kernel);

  /// Whether the products of its rows can be computed without W. If not, the block is a single batch.
  [[nodiscard]] bool planned() const noexcept { return kernel_.size() > 0; }
  /// Whether `rows` are the next ones of a planned block.
  [[nodiscard]] bool continues(std::span<const RowIndex> rows) const;
  /// How many rows are done, and which rows.
  [[nodiscard]] std::size_t done() const noexcept { return of_rows_.size(); }
  [[nodiscard]] std::span<const RowIndex> rows_done() const { return std::span(rows_).first(done()); }
  [[nodiscard]] std::size_t rows() const noexcept { return rows_.size(); }

  /// Adds a step on `batch`: the block's next rows, or, for an empty block, all its rows.
  void add(std::span<const RowIndex> batch, const SgdStep& sgd);

  [[nodiscard]] Coordinates of_kernel() const noexcept { return of_kernel_; }      ///< c, e
  [[nodiscard]] Coordinates of_velocity() const noexcept { return of_velocity_; }  ///< f, g
  /// alpha, beta of each row that is done.
  [[nodiscard]] std::span<const Coordinates> of_rows() const noexcept { return of_rows_; }

  /// K of the last `count` rows that are done.
  [[nodiscard]] Matrix kernel_of_last(std::size_t count) const;
  /// K[next, done] diag(alpha), or diag(beta): the weights of the gradients in the products of the `count`
  /// rows that follow.
  [[nodiscard]] Matrix weights_in_kernel(std::size_t count) const;
  [[nodiscard]] Matrix weights_in_velocity(std::size_t count) const;

 private:
  [[nodiscard]] Matrix weights(std::size_t count, double Coordinates::*which) const;

  std::vector<RowIndex> rows_;
  Matrix kernel_;
  Coordinates of_kernel_{1.0, 0.0};
  Coordinates of_velocity_{0.0, 1.0};
  std::vector<Coordinates> of_rows_;
};

}  // namespace headstart
