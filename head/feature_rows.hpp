// head/feature_rows.hpp: the head's input: feature rows in compressed sparse form, seen through spans.
// FeatureRows does not own the memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace headstart {

/// Index of a row of the feature matrix.
using RowIndex = std::int32_t;

/// A view of a CSR matrix. Invariant (the caller keeps it): indptr has rows()+1 ascending entries from 0. The
/// indices of a row ascend strictly and lie in [0, columns). A dense row has every index.
struct FeatureRows {
  std::int64_t columns = 0;
  std::span<const std::int64_t> indptr;
  std::span<const std::int32_t> indices;
  std::span<const float> values;

  /// The number of rows.
  [[nodiscard]] std::size_t rows() const noexcept { return indptr.empty() ? 0 : indptr.size() - 1; }
  /// The columns of a row that are not zero, ascending.
  [[nodiscard]] std::span<const std::int32_t> row_indices(RowIndex row) const noexcept {
    const auto begin = static_cast<std::size_t>(indptr[static_cast<std::size_t>(row)]);
    const auto end = static_cast<std::size_t>(indptr[static_cast<std::size_t>(row) + 1]);
    return indices.subspan(begin, end - begin);
  }
  /// The values at row_indices(row), in the same order.
  [[nodiscard]] std::span<const float> row_values(RowIndex row) const noexcept {
    const auto begin = static_cast<std::size_t>(indptr[static_cast<std::size_t>(row)]);
    const auto end = static_cast<std::size_t>(indptr[static_cast<std::size_t>(row) + 1]);
    return values.subspan(begin, end - begin);
  }
};

}  // namespace headstart
