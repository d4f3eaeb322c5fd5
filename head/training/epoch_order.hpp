// head/training/epoch_order.hpp: the order in which an epoch takes its training rows, cut into batches. Where
// not all rows fit in memory, the order is also cut into windows. Invariant: an epoch's order depends on the
// seed and the epoch's number, not on the epochs before. So a run can go on from any epoch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "memory/sparse_rows.hpp"

namespace headstart {

struct OrderOptions {
  std::size_t batch = 32;
  bool shuffle = true;  ///< off: the order in which the rows are given
  std::uint64_t seed = 0;
  /// Rows of a window, rounded down to whole batches but at least one batch; 0: all rows in one window.
  std::size_t window = 0;
  std::span<const std::int32_t> chunks{};  ///< of every row (RowSource::chunks); read with windows only
};

/// Without windows: a Fisher-Yates shuffle of the rows. With windows: the chunks are shuffled, and their rows
/// are laid end to end and cut into windows. Then the rows of each window, in the order in which they were
/// given, are shuffled. So a window for all rows gives the same order as no windows.
class EpochOrder {
 public:
  /// @param training  at least one row
  EpochOrder(std::span<const RowIndex> training, const OrderOptions& options, std::uint64_t epoch);

  [[nodiscard]] std::size_t steps() const noexcept { return (rows_.size() + batch_ - 1) / batch_; }
  /// The rows of one step; the last step may have fewer.
  [[nodiscard]] std::span<const RowIndex> batch(std::size_t step) const noexcept {
    return part(step, batch_);
  }
  /// The rows of this step and of the steps that follow it in its window. The result has as many whole
  /// batches as fit into `most` rows, and at least this one.
  [[nodiscard]] std::span<const RowIndex> batches(std::size_t step, std::size_t most) const noexcept;

  [[nodiscard]] std::size_t windows() const noexcept { return (rows_.size() + window_ - 1) / window_; }
  [[nodiscard]] std::span<const RowIndex> window(std::size_t index) const noexcept {
    return part(index, window_);
  }
  [[nodiscard]] std::size_t window_of(std::size_t step) const noexcept { return step * batch_ / window_; }
  [[nodiscard]] std::size_t first_step(std::size_t window) const noexcept {
    return window * window_ / batch_;
  }
  /// The place in the window where the step's rows begin.
  [[nodiscard]] std::size_t first_in_window(std::size_t step) const noexcept {
    return step * batch_ % window_;
  }

 private:
  [[nodiscard]] std::span<const RowIndex> part(std::size_t index, std::size_t size) const noexcept;

  std::vector<RowIndex> rows_;
  std::size_t batch_;
  std::size_t window_;  // a multiple of batch_
};

}  // namespace headstart
