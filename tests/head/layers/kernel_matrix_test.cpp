// tests/head/layers/kernel_matrix_test.cpp
#include "head/layers/kernel_matrix.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

TEST(KernelMatrixTest, IsXTimesItsTranspose) {
  EXPECT_TRUE(rc::check("X X^T in double", [] {
    const auto rows = *rc::gen::element<Eigen::Index>(1, 2, 63, 64, 65, 200);
    const auto features = *rc::gen::element<Eigen::Index>(1, 256, 300);
    const double density = *rc::gen::element(0.0, 0.1, 1.0);
    Random random(*rc::gen::arbitrary<std::uint64_t>());
    Matrix dense = random_features(rows, features, density, random);
    dense.row(0).setZero();
    const SparseMatrix matrix = sparse(dense);
    const Matrix found = kernel_matrix(matrix.view(), 2);
    const Eigen::MatrixXd x = dense.cast<double>();
    RC_ASSERT((found.cast<double>() - x * x.transpose()).norm() <= 1e-6 * x.squaredNorm());
    RC_ASSERT(found == found.transpose());
    RC_ASSERT(kernel_matrix(matrix.view(), 1) == found);
  }));
}

TEST(KernelMatrixTest, TheUnitOneIsThatOfRowsOfUnitLength) {
  Random random(14);
  Matrix dense = random_features(20, 50, 0.3, random);
  dense.row(4).setZero();
  const SparseMatrix raw = sparse(dense);
  for (Eigen::Index r = 0; r < dense.rows(); ++r) {
    if (r != 4) dense.row(r) /= dense.row(r).norm();
  }
  const SparseMatrix unit = sparse(dense);
  const Matrix found = unit_kernel_matrix(kernel_matrix(raw.view(), 1));
  EXPECT_LT((found - kernel_matrix(unit.view(), 1)).norm(), 1e-5F);
  EXPECT_EQ(found.row(4).norm(), 0.0F);
  EXPECT_NEAR(found(7, 7), 1.0F, 1e-6F);
}

}  // namespace
}  // namespace headstart::test
