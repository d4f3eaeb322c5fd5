// head/blas.cpp: BLAS stores matrices column after column, where a row-major matrix is its own transpose.
// So C = A B is asked for as C^T = B^T A^T.
#include "head/blas.hpp"

#include <limits>
#include <stdexcept>
#include <string>

#include "head/openblas.hpp"

extern "C" {
// NOLINTBEGIN(readability-identifier-naming): the names of the library
void sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n, const int* k,
            const float* alpha, const float* a, const int* lda, const float* b, const int* ldb,
            const float* beta, float* c, const int* ldc);
void dgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n, const int* k,
            const double* alpha, const double* a, const int* lda, const double* b, const int* ldb,
            const double* beta, double* c, const int* ldc);
// NOLINTEND(readability-identifier-naming)
}

namespace headstart {
namespace {

int blas_index(Eigen::Index value) {
  if (value < 0 || value > std::numeric_limits<int>::max())
    throw std::invalid_argument("product: a side of " + std::to_string(value) + " is too long for BLAS");
  return static_cast<int>(value);
}

template <typename Scalar, typename Gemm>
void multiply_by(Gemm gemm, const BlasBlock<const Scalar>& a, const BlasBlock<const Scalar>& b,
                 const BlasBlock<Scalar>& c, Scalar keep) {
  const Eigen::Index rows = a.transposed ? a.columns : a.rows;
  const Eigen::Index inner = a.transposed ? a.rows : a.columns;
  const Eigen::Index inner_of_b = b.transposed ? b.columns : b.rows;
  const Eigen::Index columns = b.transposed ? b.rows : b.columns;
  if (inner != inner_of_b || rows != c.rows || columns != c.columns || c.transposed) {
    throw std::invalid_argument("product: " + std::to_string(rows) + " x " + std::to_string(inner) +
                                " times " + std::to_string(inner_of_b) + " x " + std::to_string(columns) +
                                " does not give " + std::to_string(c.rows) + " x " +
                                std::to_string(c.columns));
  }
  if (rows == 0 || columns == 0) return;
  use_one_openblas_thread();
  const int m = blas_index(columns);
  const int n = blas_index(rows);
  const int k = blas_index(inner);
  const int stride_a = blas_index(a.stride);
  const int stride_b = blas_index(b.stride);
  const int stride_c = blas_index(c.stride);
  const Scalar one = 1;
  gemm(b.transposed ? "T" : "N", a.transposed ? "T" : "N", &m, &n, &k, &one, b.data, &stride_b, a.data,
       &stride_a, &keep, c.data, &stride_c);
}

}  // namespace

void multiply(const BlasBlock<const float>& a, const BlasBlock<const float>& b, const BlasBlock<float>& c,
              float keep) {
  multiply_by(sgemm_, a, b, c, keep);
}

void multiply(const BlasBlock<const double>& a, const BlasBlock<const double>& b, const BlasBlock<double>& c,
              double keep) {
  multiply_by(dgemm_, a, b, c, keep);
}

}  // namespace headstart
