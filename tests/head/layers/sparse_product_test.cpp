// tests/head/layers/sparse_product_test.cpp
#include "head/layers/sparse_product.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <stdexcept>

#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

TEST(SparseProductTest, AreTheProductsOfDenseMatricesInDouble) {
  EXPECT_TRUE(rc::check("X W, c W + X^T A, |W|^2", [] {
    const auto rows = *rc::gen::element<Eigen::Index>(1, 20, 530);
    const auto features = *rc::gen::element<Eigen::Index>(1, 255, 256, 257, 600);
    const auto columns = *rc::gen::element<Eigen::Index>(1, 10, 16, 64, 65, 130);
    Random random(*rc::gen::arbitrary<std::uint64_t>());
    const Matrix dense = random_features(rows, features, 0.1, random);
    const SparseMatrix matrix = sparse(dense);
    const TiledRows tiled(matrix.view(), kTileFeatures);
    const Matrix kernel = random_matrix(features, columns, random);
    const std::vector<RowIndex> every = all_rows(static_cast<std::size_t>(rows));
    Workers workers(2);

    const Eigen::MatrixXd x = dense.cast<double>();
    const Eigen::MatrixXd w = kernel.cast<double>();
    const Matrix product = sparse_product(tiled, every, kernel, workers);
    RC_ASSERT((product.cast<double>() - x * w).norm() <= 1e-6 * x.norm() * w.norm());

    const Matrix coefficients = random_matrix(rows, columns, random);
    const Eigen::MatrixXd expected = 0.75 * w + x.transpose() * coefficients.cast<double>();
    Matrix combined = kernel;
    add_transposed_sparse_product(tiled, every, coefficients, 0.75F, combined, workers);
    RC_ASSERT((combined.cast<double>() - expected).norm() <=
              1e-6 * (w.norm() + x.norm() * static_cast<double>(coefficients.norm())));

    RC_ASSERT(std::abs(squared_norm(kernel, workers) / w.squaredNorm() - 1.0) < 1e-6);
  }));
}

TEST(SparseProductTest, TheBitsDoNotDependOnThreadsOrOtherRows) {
  Random random(12);
  const SparseMatrix matrix = sparse(random_features(40, 700, 0.1, random));
  const TiledRows tiled(matrix.view(), kTileFeatures);
  const Matrix kernel = random_matrix(700, 200, random);
  const std::vector<RowIndex> every = all_rows(40);
  Workers one(1);
  Workers three(3);
  const Matrix expected = sparse_product(tiled, every, kernel, one);
  EXPECT_EQ(sparse_product(tiled, every, kernel, three), expected);
  const std::vector<RowIndex> some{17, 3};
  const Matrix part = sparse_product(tiled, some, kernel, three);
  EXPECT_EQ(part.row(0), expected.row(17));
  EXPECT_EQ(part.row(1), expected.row(3));
}

TEST(SparseProductTest, ShapesThatDisagreeAreRefused) {
  Random random(13);
  const SparseMatrix matrix = sparse(random_features(4, 6, 0.5, random));
  const TiledRows tiled(matrix.view(), kTileFeatures);
  Workers workers(1);
  Matrix kernel(6, 3);
  EXPECT_THROW(static_cast<void>(sparse_product(tiled, all_rows(4), Matrix(5, 3), workers)),
               std::invalid_argument);
  EXPECT_THROW(add_transposed_sparse_product(tiled, all_rows(4), Matrix(4, 2), 1.0F, kernel, workers),
               std::invalid_argument);
  EXPECT_THROW(add_transposed_sparse_product(tiled, all_rows(4), Matrix(3, 3), 1.0F, kernel, workers),
               std::invalid_argument);
}

}  // namespace
}  // namespace headstart::test
