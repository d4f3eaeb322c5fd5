// tests/head/layers/dense_matrix.hpp: a matrix as dense rows.
#pragma once

#include <cstring>

#include "head/matrix.hpp"
#include "memory/dense_rows.hpp"

namespace headstart::test {

inline DenseRows dense_rows(const Matrix& matrix) {
  DenseRows rows(static_cast<std::size_t>(matrix.rows()), matrix.cols());
  for (Eigen::Index r = 0; r < matrix.rows(); ++r)
    std::memcpy(rows.row(r).data(), matrix.data() + r * matrix.cols(), rows.row(r).size_bytes());
  return rows;
}

}  // namespace headstart::test
