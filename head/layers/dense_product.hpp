// head/layers/dense_product.hpp: C += A B on small dense row-major blocks, in SIMD for every CPU (Google
// Highway, chosen at run time). Invariant: an element of C is always the same sum over A's row and B's
// column, in one fixed order. So the value of an element does not depend on the number of other rows and
// columns. No allocation, no locks.
#pragma once

#include <cstddef>

#include "head/matrix.hpp"

namespace headstart {

/// Blocks inside larger matrices; strides in floats.
struct DenseProduct {
  const float* a = nullptr;  ///< element (i, k) is at a[i * a_row + k * a_column]: A may be a transposed view
  std::size_t a_row = 0;
  std::size_t a_column = 1;
  const float* b = nullptr;  ///< [inner, columns], rows b_row apart
  std::size_t b_row = 0;
  float* c = nullptr;  ///< [rows, columns], rows c_row apart; added to
  std::size_t c_row = 0;
  std::size_t rows = 0;
  std::size_t inner = 0;
  std::size_t columns = 0;
};

/// C += A B. Each 256 inner elements are summed and then added to C, so rounding grows only with the number
/// of such sums.
void add_product(const DenseProduct& product) noexcept;

/// c += a b. @throws std::invalid_argument if the shapes disagree
void add_product(const Matrix& a, const Matrix& b, Matrix& c);
/// c += a^T b. @throws std::invalid_argument if the shapes disagree
void add_transposed_product(const Matrix& a, const Matrix& b, Matrix& c);

}  // namespace headstart
