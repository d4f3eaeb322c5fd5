// head/feature_matrix.cpp
#include "head/feature_matrix.hpp"

#include <cstddef>
#include <utility>

namespace headstart {

void append(FeatureMatrix& to, FeatureMatrix&& rows) {
  if (to.indptr.size() == 1) {
    to = std::move(rows);
    return;
  }
  const std::int64_t entries = to.indptr.back();
  for (std::size_t row = 1; row < rows.indptr.size(); ++row) to.indptr.push_back(entries + rows.indptr[row]);
  to.indices.insert(to.indices.end(), rows.indices.begin(), rows.indices.end());
  to.values.insert(to.values.end(), rows.values.begin(), rows.values.end());
}

}  // namespace headstart
