// tests/head/layers/sparse_matrix.hpp: a small CSR matrix that owns its arrays, made from a dense one or at
// random.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "head/matrix.hpp"
#include "head/random.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart::test {

struct SparseMatrix {
  std::int64_t columns = 0;
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<float> values;

  [[nodiscard]] SparseRowsView view() const { return {columns, indptr, indices, values}; }
};

/// Every non-zero of a dense matrix.
inline SparseMatrix sparse(const Matrix& dense) {
  SparseMatrix result;
  result.columns = dense.cols();
  for (Eigen::Index r = 0; r < dense.rows(); ++r) {
    for (Eigen::Index c = 0; c < dense.cols(); ++c) {
      if (dense(r, c) == 0.0F) continue;
      result.indices.push_back(static_cast<std::int32_t>(c));
      result.values.push_back(dense(r, c));
    }
    result.indptr.push_back(static_cast<std::int64_t>(result.indices.size()));
  }
  return result;
}

/// Uniform in [-scale, scale).
inline Matrix random_matrix(Eigen::Index rows, Eigen::Index columns, Random& random, float scale = 1.0F) {
  Matrix result(rows, columns);
  for (Eigen::Index i = 0; i < result.size(); ++i)
    result.data()[i] = scale * (2.0F * random.uniform() - 1.0F);
  return result;
}

/// Positive values as ReLU leaves them, with about `density` of them not zero.
inline Matrix random_features(Eigen::Index rows, Eigen::Index columns, double density, Random& random) {
  Matrix result = Matrix::Zero(rows, columns);
  for (Eigen::Index i = 0; i < result.size(); ++i) {
    const bool active = static_cast<double>(random.uniform()) < density;
    const float value = 0.05F + random.uniform();
    if (active) result.data()[i] = value;
  }
  return result;
}

inline std::vector<RowIndex> all_rows(std::size_t count) {
  std::vector<RowIndex> rows(count);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

}  // namespace headstart::test
