// head/symmetric_eigen.cpp
#include "head/symmetric_eigen.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "head/openblas.hpp"
#include "head/run_unless_cancelled.hpp"
#include "head/workers.hpp"

extern "C" {
// NOLINTBEGIN(readability-identifier-naming): the names of the library
void dsytrd_(const char* triangle, const int* n, double* a, const int* lda, double* diagonal,
             double* off_diagonal, double* tau, double* work, const int* work_size, int* info);
void dstedc_(const char* vectors, const int* n, double* diagonal, double* off_diagonal, double* z,
             const int* ldz, double* work, const int* work_size, int* int_work, const int* int_work_size,
             int* info);
void dormtr_(const char* side, const char* triangle, const char* transpose, const int* m, const int* n,
             const double* a, const int* lda, const double* tau, double* c, const int* ldc, double* work,
             const int* work_size, int* info);
// NOLINTEND(readability-identifier-naming)
}

namespace headstart {
namespace {

constexpr Eigen::Index kMostRows = 46000;  // LAPACK counts the n^2 numbers that it works in with 32 bits
constexpr int kLapackBlock = 64;           // at least LAPACK's own
constexpr Eigen::Index kColumnsAtOnce = 128;

void check_lapack(const char* step, int info) {
  if (info == 0) return;
  throw std::runtime_error("eigendecomposition: " + std::string(step) + " did not converge");
}

SymmetricEigen decompose(Eigen::MatrixXd matrix, int threads) {
  use_one_openblas_thread();
  const auto n = static_cast<int>(matrix.rows());
  const auto size = static_cast<std::size_t>(n);
  SymmetricEigen result{Eigen::VectorXd(n), Eigen::MatrixXd(n, n)};
  std::vector<double> off_diagonal(size);
  std::vector<double> tau(size);
  int info = 0;
  {
    std::vector<double> work(size * kLapackBlock);
    const auto work_size = static_cast<int>(work.size());
    dsytrd_("L", &n, matrix.data(), &n, result.values.data(), off_diagonal.data(), tau.data(), work.data(),
            &work_size, &info);
    check_lapack("dsytrd", info);
  }
  {
    std::vector<double> work(1 + 4 * size + size * size);
    std::vector<int> int_work(3 + 5 * size);
    const auto work_size = static_cast<int>(work.size());
    const auto int_work_size = static_cast<int>(int_work.size());
    dstedc_("I", &n, result.values.data(), off_diagonal.data(), result.vectors.data(), &n, work.data(),
            &work_size, int_work.data(), &int_work_size, &info);
    check_lapack("dstedc", info);
  }
  const auto blocks = static_cast<std::size_t>((n + kColumnsAtOnce - 1) / kColumnsAtOnce);
  Workers workers(threads);
  workers.for_each(blocks, [&](std::size_t block) {
    const Eigen::Index first = static_cast<Eigen::Index>(block) * kColumnsAtOnce;
    const auto columns = static_cast<int>(std::min(kColumnsAtOnce, n - first));
    std::vector<double> work(static_cast<std::size_t>(kColumnsAtOnce) * kLapackBlock + 65 * 64);
    const auto work_size = static_cast<int>(work.size());
    int failed = 0;
    dormtr_("L", "L", "N", &n, &columns, matrix.data(), &n, tau.data(), result.vectors.col(first).data(), &n,
            work.data(), &work_size, &failed);
    check_lapack("dormtr", failed);
  });
  return result;
}

}  // namespace

SymmetricEigen symmetric_eigen(Eigen::MatrixXd matrix, int threads, const Cancellation& cancellation) {
  if (matrix.rows() != matrix.cols() || matrix.rows() < 1 || matrix.rows() > kMostRows) {
    throw std::invalid_argument("eigendecomposition: a matrix of " + std::to_string(matrix.rows()) + " x " +
                                std::to_string(matrix.cols()) + ", needed a square one of 1 to " +
                                std::to_string(kMostRows) + " rows");
  }
  return run_unless_cancelled(
      [matrix = std::move(matrix), threads]() mutable { return decompose(std::move(matrix), threads); },
      cancellation);
}

}  // namespace headstart
