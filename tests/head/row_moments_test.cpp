// tests/head/row_moments_test.cpp: sums over blocks of rows against those of the whole matrix.
#include "head/row_moments.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <vector>

#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart {
namespace {

struct Labelled {
  Matrix rows;
  std::vector<std::int32_t> labels;
};

Labelled random_labelled(Eigen::Index rows, Eigen::Index columns) {
  Random random(2);
  Labelled result{test::random_matrix(rows, columns, random), {}};
  for (Eigen::Index row = 0; row < rows; ++row)
    result.labels.push_back(static_cast<std::int32_t>(random.below(3)));
  return result;
}

double relative_error(const Eigen::MatrixXd& found, const Eigen::MatrixXd& expected) {
  return (found - expected).norm() / expected.norm();
}

TEST(RowMoments, AreTheSumsOverAllRows) {
  // More rows than one block, more columns than one strip.
  const auto [rows, labels] = random_labelled(3000, 200);
  Workers workers(2);
  const RowMoments found = moments_of(blocks_of(rows), labels, 4, workers);
  const Eigen::MatrixXd x = rows.cast<double>();
  Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(4, 200);
  Eigen::VectorXd counts = Eigen::VectorXd::Zero(4);
  for (Eigen::Index row = 0; row < 3000; ++row) {
    sums.row(labels[static_cast<std::size_t>(row)]) += x.row(row);
    counts(labels[static_cast<std::size_t>(row)]) += 1.0;
  }
  const Eigen::MatrixXd centred = x.rowwise() - x.colwise().mean();
  EXPECT_EQ(found.rows(), 3000.0);
  EXPECT_EQ(found.counts(), counts);
  EXPECT_LT(relative_error(found.mean(), x.colwise().mean()), 1e-12);
  EXPECT_LT(relative_error(found.class_sums(), sums), 1e-12);
  EXPECT_LT(relative_error(found.products(), x.transpose() * x), 1e-12);
  EXPECT_LT(relative_error(found.centred_products(), centred.transpose() * centred), 1e-12);
  Workers one(1);
  EXPECT_EQ(moments_of(blocks_of(rows), labels, 4, one).products(), found.products());
}

TEST(RowMoments, KeepTheDigitsOfRowsFarFromZero) {
  auto [rows, labels] = random_labelled(500, 5);
  rows.array() += 4096.0F;
  Workers workers(1);
  const Eigen::MatrixXd x = rows.cast<double>();
  const Eigen::MatrixXd centred = x.rowwise() - x.colwise().mean();
  // Sums about zero would keep 16 - 7 digits of these products.
  EXPECT_LT(relative_error(moments_of(blocks_of(rows), labels, 3, workers).centred_products(),
                           centred.transpose() * centred),
            1e-13);
}

TEST(RowMoments, RefuseOtherShapesLabelsAndValues) {
  Workers workers(1);
  RowMoments moments(2, 2);
  const std::vector<std::int32_t> labels{0, 1};
  EXPECT_NO_THROW(moments.add(Matrix::Ones(2, 2), labels, workers));
  EXPECT_THROW(moments.add(Matrix::Ones(2, 3), labels, workers), std::invalid_argument);
  EXPECT_THROW(moments.add(Matrix::Ones(3, 2), labels, workers), std::invalid_argument);
  EXPECT_THROW(moments.add(Matrix::Ones(2, 2), std::vector<std::int32_t>{0, 2}, workers),
               std::invalid_argument);
  EXPECT_THROW(moments.add(Matrix::Constant(2, 2, std::numeric_limits<float>::infinity()), labels, workers),
               std::invalid_argument);
  EXPECT_THROW(RowMoments(0, 2), std::invalid_argument);
}

TEST(ProductsOfRows, AreTheGramMatrix) {
  const Matrix rows = random_labelled(300, 40).rows;
  Workers workers(2);
  const Eigen::MatrixXd x = rows.cast<double>();
  const Eigen::MatrixXd centred = x.rowwise() - x.colwise().mean();
  EXPECT_LT(relative_error(products_of_rows(blocks_of(rows), false, workers), x * x.transpose()), 1e-13);
  EXPECT_LT(relative_error(products_of_rows(blocks_of(rows), true, workers), centred * centred.transpose()),
            1e-12);
}

}  // namespace
}  // namespace headstart
