// tests/head/layers/dense_product_test.cpp
#include "head/layers/dense_product.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <stdexcept>

#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

double error_of(const Matrix& found, const Eigen::MatrixXd& expected, double scale) {
  return (found.cast<double>() - expected).norm() / (scale > 0.0 ? scale : 1.0);
}

TEST(DenseProductTest, AddsTheProductOfAnyShape) {
  EXPECT_TRUE(rc::check("c + a b and c + a^T b in double", [] {
    const auto rows = *rc::gen::inRange<Eigen::Index>(0, 110);
    const auto inner = *rc::gen::element<Eigen::Index>(0, 1, 7, 255, 256, 257, 600);
    const auto columns = *rc::gen::element<Eigen::Index>(0, 1, 3, 10, 15, 16, 17, 63, 64, 65, 130);
    Random random(*rc::gen::arbitrary<std::uint64_t>());
    const Matrix a = random_matrix(rows, inner, random);
    const Matrix b = random_matrix(inner, columns, random);
    const Matrix c = random_matrix(rows, columns, random);
    const Eigen::MatrixXd expected = c.cast<double>() + a.cast<double>() * b.cast<double>();
    const double scale = a.norm() * b.norm() + c.norm();
    Matrix found = c;
    add_product(a, b, found);
    RC_ASSERT(error_of(found, expected, scale) < 1e-6);
    Matrix transposed = c;
    add_transposed_product(Matrix(a.transpose()), b, transposed);
    RC_ASSERT(transposed == found);
  }));
}

TEST(DenseProductTest, AnElementsBitsDoNotDependOnTheRowsAndColumnsBeside) {
  Random random(11);
  const Matrix a = random_matrix(23, 300, random);
  const Matrix b = random_matrix(300, 77, random);
  Matrix all = Matrix::Zero(23, 77);
  add_product(a, b, all);
  for (Eigen::Index row = 0; row < a.rows(); ++row) {
    Matrix one = Matrix::Zero(1, 77);
    add_product(Matrix(a.row(row)), b, one);
    ASSERT_EQ(one, all.row(row)) << row;
  }
  for (const Eigen::Index columns : {1, 10, 16, 40, 64}) {
    Matrix some = Matrix::Zero(23, columns);
    add_product(a, Matrix(b.leftCols(columns)), some);
    ASSERT_EQ(some, all.leftCols(columns)) << columns;
  }
}

TEST(DenseProductTest, ShapesThatDisagreeAreRefused) {
  Matrix c(2, 3);
  EXPECT_THROW(add_product(Matrix(2, 4), Matrix(5, 3), c), std::invalid_argument);
  EXPECT_THROW(add_product(Matrix(1, 4), Matrix(4, 3), c), std::invalid_argument);
  EXPECT_THROW(add_transposed_product(Matrix(2, 4), Matrix(4, 3), c), std::invalid_argument);
}

}  // namespace
}  // namespace headstart::test
