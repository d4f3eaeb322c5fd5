// tests/head/blas_test.cpp: products of blocks against Eigen's.
#include "head/blas.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart {
namespace {

TEST(Multiply, IsTheProductOfBlocksAndOfTransposes) {
  Random random(1);
  const Matrix a = test::random_matrix(7, 5, random);
  const Matrix b = test::random_matrix(5, 9, random);
  const Matrix expected = a * b;
  const Matrix at = a.transpose();
  const Matrix bt = b.transpose();
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      Matrix found = Matrix::Constant(7, 9, 100.0F);
      multiply(blas_block(transpose_a ? at : a, transpose_a), blas_block(transpose_b ? bt : b, transpose_b),
               blas_block(found));
      EXPECT_LT((found - expected).norm(), 1e-5F * expected.norm()) << transpose_a << transpose_b;
    }
  }
}

TEST(Multiply, AddsToABlockInsideAMatrix) {
  Random random(2);
  using Doubles = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Doubles a = test::random_matrix(4, 3, random).cast<double>();
  const Doubles b = test::random_matrix(3, 2, random).cast<double>();
  Doubles c = Doubles::Ones(6, 5);
  multiply(blas_block(a), blas_block(b), {&c(1, 2), 4, 2, 5}, 1.0);
  Doubles expected = Doubles::Ones(6, 5);
  expected.block(1, 2, 4, 2) += a * b;
  EXPECT_LT((c - expected).norm(), 1e-12);
}

TEST(Multiply, IsSafeForManyThreads) {
  // Debian's OpenBLAS without threads gave two callers one work area, and about every tenth run of a command
  // another result.
  Random random(3);
  const Matrix a = test::random_matrix(60, 300, random);
  Matrix expected(60, 60);
  multiply(blas_block(std::as_const(a)), blas_block(std::as_const(a), true), blas_block(expected));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 2000; ++round) {
        Matrix found(60, 60);
        multiply(blas_block(std::as_const(a)), blas_block(std::as_const(a), true), blas_block(found));
        if (found != expected) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Multiply, RefusesShapesThatDisagree) {
  const Matrix a = Matrix::Ones(2, 3);
  Matrix c(2, 2);
  EXPECT_THROW(multiply(blas_block(a), blas_block(a), blas_block(c)), std::invalid_argument);
  EXPECT_NO_THROW(multiply(blas_block(a), blas_block(a, true), blas_block(c)));
  Matrix wrong(2, 3);
  EXPECT_THROW(multiply(blas_block(a), blas_block(a, true), blas_block(wrong)), std::invalid_argument);
}

}  // namespace
}  // namespace headstart
