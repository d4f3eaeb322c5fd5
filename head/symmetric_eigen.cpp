// head/symmetric_eigen.cpp
#include "head/symmetric_eigen.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "head/openblas.hpp"
#include "head/run_unless_cancelled.hpp"
#include "head/workers.hpp"

extern "C" {
// NOLINTBEGIN(readability-identifier-naming): the names of the library
void dlatrd_(const char* triangle, const int* n, const int* columns, double* a, const int* lda,
             double* off_diagonal, double* tau, double* w, const int* ldw);
void dsyr2k_(const char* triangle, const char* transpose, const int* n, const int* k, const double* alpha,
             const double* a, const int* lda, const double* b, const int* ldb, const double* beta, double* c,
             const int* ldc);
void dsytd2_(const char* triangle, const int* n, double* a, const int* lda, double* diagonal,
             double* off_diagonal, double* tau, int* info);
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
constexpr std::size_t kLapackReflectors = 65 * 64;  // that dormtr works in besides
constexpr int kTridiagonalBlock = 32;               // LAPACK's own
// Shares of the time, measured at 2,000 and 4,000 rows.
constexpr double kShareOfTridiagonal = 0.5;
constexpr double kShareOfValues = 0.3;
constexpr Eigen::Index kColumnsAtOnce = 128;

void check_lapack(const char* step, int info) {
  if (info == 0) return;
  throw std::runtime_error("eigendecomposition: " + std::string(step) + " did not converge");
}

/// The matrix becomes tridiagonal, in the steps of LAPACK's dsytrd, between which progress can be told.
/// @param a     [n, n], lower triangle; afterwards the reflectors that turn eigenvectors back
/// @param done  gets the share of the work
void make_tridiagonal(Eigen::MatrixXd& a, Eigen::VectorXd& diagonal, std::vector<double>& off_diagonal,
                      std::vector<double>& tau, std::atomic<double>& done) {
  const auto n = static_cast<int>(a.rows());
  const double size = n;
  std::vector<double> w(static_cast<std::size_t>(n) * kTridiagonalBlock);
  int first = 0;
  for (; n - first > kTridiagonalBlock; first += kTridiagonalBlock) {
    const int left = n - first;
    const int behind = left - kTridiagonalBlock;
    constexpr double kMinus = -1.0;
    constexpr double kOne = 1.0;
    constexpr int kBlock = kTridiagonalBlock;
    double* const corner = &a(first, first);
    dlatrd_("L", &left, &kBlock, corner, &n, &off_diagonal[static_cast<std::size_t>(first)],
            &tau[static_cast<std::size_t>(first)], w.data(), &n);
    dsyr2k_("L", "N", &behind, &kBlock, &kMinus, corner + kBlock, &n, w.data() + kBlock, &n, &kOne,
            &a(first + kBlock, first + kBlock), &n);
    for (int i = first; i < first + kBlock; ++i) {
      a(i + 1, i) = off_diagonal[static_cast<std::size_t>(i)];
      diagonal(i) = a(i, i);
    }
    done = kShareOfTridiagonal * (1.0 - std::pow(behind / size, 3));
  }
  const int left = n - first;
  int info = 0;
  dsytd2_("L", &left, &a(first, first), &n, &diagonal(first), &off_diagonal[static_cast<std::size_t>(first)],
          &tau[static_cast<std::size_t>(first)], &info);
  check_lapack("dsytd2", info);
}

SymmetricEigen decompose(Eigen::MatrixXd matrix, int threads, std::atomic<double>& done) {
  use_one_openblas_thread();
  const auto n = static_cast<int>(matrix.rows());
  const auto size = static_cast<std::size_t>(n);
  SymmetricEigen result{Eigen::VectorXd(n), Eigen::MatrixXd(n, n)};
  std::vector<double> off_diagonal(size);
  std::vector<double> tau(size);
  int info = 0;
  make_tridiagonal(matrix, result.values, off_diagonal, tau, done);
  {
    std::vector<double> work(1 + 4 * size + size * size);
    std::vector<int> int_work(3 + 5 * size);
    const auto work_size = static_cast<int>(work.size());
    const auto int_work_size = static_cast<int>(int_work.size());
    dstedc_("I", &n, result.values.data(), off_diagonal.data(), result.vectors.data(), &n, work.data(),
            &work_size, int_work.data(), &int_work_size, &info);
    check_lapack("dstedc", info);
  }
  done = kShareOfTridiagonal + kShareOfValues;
  const auto blocks = static_cast<std::size_t>((n + kColumnsAtOnce - 1) / kColumnsAtOnce);
  Workers workers(threads);
  workers.for_each(blocks, [&](std::size_t block) {
    const Eigen::Index first = static_cast<Eigen::Index>(block) * kColumnsAtOnce;
    const auto columns = static_cast<int>(std::min(kColumnsAtOnce, n - first));
    std::vector<double> work(static_cast<std::size_t>(kColumnsAtOnce) * kLapackBlock + kLapackReflectors);
    const auto work_size = static_cast<int>(work.size());
    int failed = 0;
    dormtr_("L", "L", "N", &n, &columns, matrix.data(), &n, tau.data(), result.vectors.col(first).data(), &n,
            work.data(), &work_size, &failed);
    check_lapack("dormtr", failed);
    done.fetch_add((1.0 - kShareOfTridiagonal - kShareOfValues) / static_cast<double>(blocks));
  });
  return result;
}

}  // namespace

SymmetricEigen symmetric_eigen(Eigen::MatrixXd matrix, int threads, const Cancellation& cancellation,
                               const std::function<void(double share)>& progress) {
  if (matrix.rows() != matrix.cols() || matrix.rows() < 1 || matrix.rows() > kMostRows) {
    throw std::invalid_argument("eigendecomposition: a matrix of " + std::to_string(matrix.rows()) + " x " +
                                std::to_string(matrix.cols()) + ", needed a square one of 1 to " +
                                std::to_string(kMostRows) + " rows");
  }
  const auto done = std::make_shared<std::atomic<double>>(0.0);  // outlives a task that is left behind
  std::function<void()> look_on;
  if (progress) look_on = [&] { progress(done->load()); };
  return run_unless_cancelled([matrix = std::move(matrix), threads,
                               done]() mutable { return decompose(std::move(matrix), threads, *done); },
                              cancellation, look_on);
}

}  // namespace headstart
