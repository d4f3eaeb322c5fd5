// memory/dense_rows.hpp: rows of floats with their zeros, one row after another: DenseRows owns the memory,
// DenseRowsView refers to memory of another object. Rows that are mostly not zero take half the memory of
// SparseRows in this form.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "memory/aligned_floats.hpp"

namespace headstart {

/// Rows in memory of another object. Invariant (the owner keeps it): values.size() is a multiple of columns.
struct DenseRowsView {
  std::int64_t columns = 0;
  std::span<const float> values{};  ///< [rows, columns]

  /// How many rows there are.
  [[nodiscard]] std::size_t rows() const noexcept {
    return columns == 0 ? 0 : values.size() / static_cast<std::size_t>(columns);
  }
  /// One row, [columns].
  [[nodiscard]] std::span<const float> row(std::integral auto index) const noexcept {
    const auto width = static_cast<std::size_t>(columns);
    return values.subspan(static_cast<std::size_t>(index) * width, width);
  }
};

/// Rows that own their memory. The constructor does not write to the memory.
class DenseRows {
 public:
  DenseRows() = default;
  /// @throws std::bad_alloc
  DenseRows(std::size_t rows, std::int64_t columns)
      : columns_(columns), values_(rows * static_cast<std::size_t>(columns)) {}
  /// Rows in a file of `folder`, for those that take more than memory (AlignedFloats::in_file).
  /// @throws std::system_error if the disk has no room
  DenseRows(std::size_t rows, std::int64_t columns, const std::filesystem::path& folder)
      : columns_(columns),
        values_(AlignedFloats::in_file(rows * static_cast<std::size_t>(columns), folder)) {}

  /// Valid while these rows live.
  [[nodiscard]] DenseRowsView view() const noexcept { return {columns_, values_.span()}; }
  /// All values, [rows, columns], to be written.
  [[nodiscard]] std::span<float> values() noexcept { return values_.span(); }
  /// One row, [columns], to be written.
  [[nodiscard]] std::span<float> row(std::integral auto index) noexcept {
    const auto width = static_cast<std::size_t>(columns_);
    return values_.span().subspan(static_cast<std::size_t>(index) * width, width);
  }

 private:
  std::int64_t columns_ = 0;
  AlignedFloats values_;
};

}  // namespace headstart
