// head/feature_matrix.hpp: feature rows that own their memory, for rows that are computed from other rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "head/feature_rows.hpp"

namespace headstart {

/// A CSR matrix with the invariant of FeatureRows. A new FeatureMatrix has no rows.
struct FeatureMatrix {
  std::int64_t columns = 0;
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<float> values;

  /// Valid while this matrix lives and does not change.
  [[nodiscard]] FeatureRows view() const { return {columns, indptr, indices, values}; }
};

/// Writes a row densely, with its zeros. @param values  one for each of `indices`  @param dense  [columns]
void expand(std::span<const std::int32_t> indices, std::span<const float> values, std::span<float> dense);

/// Appends rows to `to`. If `to` has no row, it takes their number of columns.
void append(FeatureMatrix& to, FeatureMatrix&& rows);
/// Appends a copy of rows, as the function above does.
void append(FeatureMatrix& to, const FeatureRows& rows);

}  // namespace headstart
