// head/blas.hpp: products of large dense blocks, by OpenBLAS on the thread of the caller. Callers share fixed
// blocks out over Workers, so no result depends on the number of threads. (OpenBLAS's own threads wait
// actively for each other: on two busy cores a decomposition took four times as long with two of them.)
// For the small blocks of training there is layers/dense_product.
#pragma once

#include <Eigen/Core>

namespace headstart {

/// A block inside a larger row-major matrix, or its transpose.
template <typename Scalar>
struct BlasBlock {
  Scalar* data = nullptr;  ///< the first element
  Eigen::Index rows = 0;   ///< as stored, before `transposed`
  Eigen::Index columns = 0;
  Eigen::Index stride = 0;  ///< elements from one row to the next
  bool transposed = false;  ///< whether the product takes the transpose; not for a result
};

/// A whole row-major matrix as a block. @param transposed  whether the product takes the transpose
template <typename Derived>
[[nodiscard]] auto blas_block(const Eigen::PlainObjectBase<Derived>& matrix, bool transposed = false) {
  static_assert(Derived::IsRowMajor);
  return BlasBlock<const typename Derived::Scalar>{matrix.data(), matrix.rows(), matrix.cols(), matrix.cols(),
                                                   transposed};
}
/// The same, as a result.
template <typename Derived>
[[nodiscard]] auto blas_block(Eigen::PlainObjectBase<Derived>& matrix) {
  static_assert(Derived::IsRowMajor);
  return BlasBlock<typename Derived::Scalar>{matrix.data(), matrix.rows(), matrix.cols(), matrix.cols()};
}

/// C = A B + keep C.
/// @throws std::invalid_argument if the shapes disagree, or a side is longer than a BLAS index (2^31 - 1)
void multiply(const BlasBlock<const float>& a, const BlasBlock<const float>& b, const BlasBlock<float>& c,
              float keep = 0.0F);
/// The same in double.
void multiply(const BlasBlock<const double>& a, const BlasBlock<const double>& b, const BlasBlock<double>& c,
              double keep = 0.0);

}  // namespace headstart
