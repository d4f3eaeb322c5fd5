// memory/sparse_rows.hpp: rows of floats without their zeros (compressed sparse rows): SparseRows owns the
// memory, SparseRowsView refers to memory of another object.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace headstart {

/// The number of a row.
using RowIndex = std::int32_t;

/// Rows in memory of another object. Invariant (the owner keeps it): indptr has rows()+1 entries, starts with
/// 0 and ascends to values.size(). Within a row, indices ascend strictly and lie in [0, columns). A dense row
/// has every index.
struct SparseRowsView {
  std::int64_t columns = 0;
  std::span<const std::int64_t> indptr{};
  std::span<const std::int32_t> indices{};
  std::span<const float> values{};

  /// How many rows there are.
  [[nodiscard]] std::size_t rows() const noexcept { return indptr.empty() ? 0 : indptr.size() - 1; }
  /// The columns of one row's entries, ascending.
  [[nodiscard]] std::span<const std::int32_t> row_indices(std::integral auto row) const noexcept {
    return of_row(indices, static_cast<std::size_t>(row));
  }
  /// The values at row_indices(row), in the same order.
  [[nodiscard]] std::span<const float> row_values(std::integral auto row) const noexcept {
    return of_row(values, static_cast<std::size_t>(row));
  }

 private:
  template <typename T>
  [[nodiscard]] std::span<const T> of_row(std::span<const T> all, std::size_t row) const noexcept {
    const auto begin = static_cast<std::size_t>(indptr[row]);
    return all.subspan(begin, static_cast<std::size_t>(indptr[row + 1]) - begin);
  }
};

/// Rows that own their memory, with the invariant of SparseRowsView. A new SparseRows has no rows.
struct SparseRows {
  std::int64_t columns = 0;
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices{};
  std::vector<float> values{};

  /// Valid while these rows live and do not change.
  [[nodiscard]] SparseRowsView view() const noexcept { return {columns, indptr, indices, values}; }
  /// How many rows there are.
  [[nodiscard]] std::size_t rows() const noexcept { return view().rows(); }
  /// The columns of one row's entries, ascending.
  [[nodiscard]] std::span<const std::int32_t> row_indices(std::integral auto row) const noexcept {
    return view().row_indices(row);
  }
  /// The values at row_indices(row), in the same order.
  [[nodiscard]] std::span<const float> row_values(std::integral auto row) const noexcept {
    return view().row_values(row);
  }
  /// How many entries each row has.
  [[nodiscard]] std::vector<std::int32_t> counts() const;

  /// Appends the non-zeros of a dense row of `columns` values.
  void append_dense(std::span<const float> dense);
  /// Appends one row of other rows with the same number of columns.
  void append_row(const SparseRows& other, std::size_t row);
  /// Appends copies of `rows`, and takes their number of columns.
  void append(const SparseRowsView& rows);
  /// Appends `rows` as the function above does. Takes their memory if there is no row yet.
  void append(SparseRows&& rows);
  /// Writes one row, including its zeros. @param out  [columns]
  void expand(std::size_t row, std::span<float> out) const;

  bool operator==(const SparseRows&) const = default;
};

/// Writes a row densely, with its zeros. @param values  one for each of `indices`  @param dense  [columns]
void expand(std::span<const std::int32_t> indices, std::span<const float> values, std::span<float> dense);

}  // namespace headstart
