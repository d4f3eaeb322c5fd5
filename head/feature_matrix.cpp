// head/feature_matrix.cpp
#include "head/feature_matrix.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace headstart {

void expand(std::span<const std::int32_t> indices, std::span<const float> values, std::span<float> dense) {
  std::fill(dense.begin(), dense.end(), 0.0F);
  for (std::size_t i = 0; i < indices.size(); ++i) dense[static_cast<std::size_t>(indices[i])] = values[i];
}

void append(FeatureMatrix& to, FeatureMatrix&& rows) {
  if (to.indptr.size() == 1) {
    to = std::move(rows);
  } else {
    append(to, rows.view());
  }
}

void append(FeatureMatrix& to, const FeatureRows& rows) {
  const std::int64_t entries = to.indptr.back();
  to.columns = rows.columns;
  for (std::size_t row = 1; row < rows.indptr.size(); ++row) to.indptr.push_back(entries + rows.indptr[row]);
  to.indices.insert(to.indices.end(), rows.indices.begin(), rows.indices.end());
  to.values.insert(to.values.end(), rows.values.begin(), rows.values.end());
}

}  // namespace headstart
