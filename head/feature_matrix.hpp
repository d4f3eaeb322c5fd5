// head/feature_matrix.hpp: feature rows that own their memory, for what is computed from other rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "head/feature_rows.hpp"

namespace headstart {

/// A CSR matrix with FeatureRows' invariant; without rows to begin with.
struct FeatureMatrix {
  std::int64_t columns = 0;
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<float> values;

  /// Valid as long as this matrix lives and stays as it is.
  [[nodiscard]] FeatureRows view() const { return {columns, indptr, indices, values}; }
};

/// Writes a row with its zeros. @param values  of `indices`, the row's or others  @param dense  [columns]
void expand(std::span<const std::int32_t> indices, std::span<const float> values, std::span<float> dense);

/// Puts rows behind those of `to`, which takes their number of columns if it has no row.
void append(FeatureMatrix& to, FeatureMatrix&& rows);
/// The same, of a copy.
void append(FeatureMatrix& to, const FeatureRows& rows);

}  // namespace headstart
