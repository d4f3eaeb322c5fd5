// features/cache/csr_rows.hpp: rows of activations without their zeros (85 to 93 % of VGG16's block5_pool are
// zeros).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace headstart {

/// Compressed sparse rows. Invariant: indptr has rows()+1 entries, starts with 0 and ascends to
/// values.size(). Within a row, indices ascend strictly and lie in [0, columns).
struct CsrRows {
  std::int64_t columns = 0;
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<float> values;

  /// How many rows there are.
  [[nodiscard]] std::size_t rows() const noexcept { return indptr.size() - 1; }
  /// How many non-zeros each row has.
  [[nodiscard]] std::vector<std::int32_t> counts() const;
  /// Indices of the non-zeros of one row.
  [[nodiscard]] std::span<const std::int32_t> row_indices(std::size_t row) const noexcept;
  /// Values of the non-zeros of one row.
  [[nodiscard]] std::span<const float> row_values(std::size_t row) const noexcept;

  /// Appends the non-zeros of a dense row of `columns` values.
  void append_dense(std::span<const float> dense);
  /// Appends one row of another CsrRows with the same number of columns.
  void append_row(const CsrRows& other, std::size_t row);
  /// Writes one row, including its zeros. @param out  [columns]
  void expand(std::size_t row, std::span<float> out) const;

  bool operator==(const CsrRows&) const = default;
};

}  // namespace headstart
