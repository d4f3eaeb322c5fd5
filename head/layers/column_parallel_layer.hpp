// head/layers/column_parallel_layer.hpp: the primal solver shared out over processes by columns of W.
//
// Each process owns whole slabs of W and V, and steps them as one process alone would: the same sums in the
// same order. So the result does not depend on the number of processes. In a step they exchange the next
// batch's products: one all-gather of 4 rows hidden bytes (128 KiB at 32 x 1,024). The upper layers are
// small, so each process computes all of them itself.
//
// We rejected data parallelism, where each process takes a part of the batch and the gradients of W are
// summed. 32 rows at 10 % non-zeros touch 97 % of the features, so an all-reduce would move nearly all of W.
// Such an all-reduce is 100 MB a step, 800 times as much. Besides, every process would still read and write
// all of W and V, and this traffic is the time of a step (primal_solver.hpp). Here the traffic falls with the
// number of processes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "head/layers/column_slab.hpp"
#include "head/layers/first_layer.hpp"
#include "head/layers/primal_solver.hpp"
#include "head/layers/process_group.hpp"
#include "head/matrix.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

class ColumnParallelLayer final : public FirstLayer {
 public:
  /// All arguments but `threads` are the same in every process.
  /// @param features  must outlive this, or live until use_rows(), in every process
  /// @param group     must outlive this
  /// @throws std::invalid_argument as PrimalSolver does
  ColumnParallelLayer(const SparseRowsView& features, const Matrix& kernel, int threads, ProcessGroup& group,
                      Blocks blocks);

  void forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z, const Plan& plan = {}) override;
  void step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd,
            std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z, const Plan& plan = {}) override;
  [[nodiscard]] double squared_norm() override;
  void use_rows(const SparseRowsView& rows) override;
  [[nodiscard]] Matrix release_kernel() override;
  void remember() override;
  void recall() override;
  /// A PrimalSolver's state, gathered from all processes: a run may go on with another number of processes.
  [[nodiscard]] FirstLayerState state() override;
  void set_state(const FirstLayerState& state) override;

 private:
  /// The slabs that one process owns.
  struct Share {
    std::size_t first_slab = 0;
    std::size_t end_slab = 0;
    Eigen::Index first_column = 0;
    Eigen::Index columns = 0;
    std::size_t width = 0;  // columns with their padding

    [[nodiscard]] std::size_t slabs() const noexcept { return end_slab - first_slab; }
  };

  [[nodiscard]] const Share& own() const noexcept { return shares_[static_cast<std::size_t>(group_.rank())]; }
  [[nodiscard]] std::size_t slabs() const noexcept { return shares_.back().end_slab; }
  [[nodiscard]] Eigen::Index hidden() const noexcept {
    return shares_.back().first_column + shares_.back().columns;
  }
  // One number for each process.
  template <typename NumberOf>
  [[nodiscard]] std::vector<std::size_t> counts(NumberOf number_of) const;
  void exchange(const Matrix& own_z, Eigen::Ref<Matrix> z);
  // The values of all processes in order of rank, `counts[rank]` from each.
  template <typename T>
  [[nodiscard]] std::vector<T> gather(std::span<const T> own, std::span<const std::size_t> counts);

  ProcessGroup& group_;
  std::size_t features_;
  std::vector<Share> shares_;           // by rank
  std::optional<PrimalSolver> solver_;  // empty in a process without slabs (more processes than slabs)
  bool remembers_ = false;
  std::vector<std::vector<float>> gathered_;  // the memory that state() shows
};

}  // namespace headstart
