// tests/head/training/predict_test.cpp
#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "head/training/trainer.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

Head random_head(const std::vector<Eigen::Index>& widths, Random& random) {
  Head head;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    head.layers.push_back({random_matrix(widths[l], widths[l + 1], random, 0.3F),
                           random_matrix(1, widths[l + 1], random, 0.3F)});
  }
  return head;
}

// relu(x W + b) layer by layer, then softmax, on dense double matrices.
Eigen::MatrixXd expected_probabilities(const Head& head, const Matrix& features) {
  Eigen::MatrixXd activation = features.cast<double>();
  for (std::size_t l = 0; l < head.layers.size(); ++l) {
    if (l > 0) activation = activation.cwiseMax(0.0).eval();
    activation =
        ((activation * head.layers[l].kernel.cast<double>()).rowwise() + head.layers[l].bias.cast<double>())
            .eval();
  }
  activation = activation.array().exp().matrix().eval();
  for (Eigen::Index r = 0; r < activation.rows(); ++r) activation.row(r) /= activation.row(r).sum();
  return activation;
}

TEST(PredictProbabilities, AreTheNetworksOnDenseDoubleMatrices) {
  Random random(31);
  const Matrix features = random_features(70, 530, 0.1, random);
  const SparseMatrix matrix = sparse(features);
  for (const std::vector<Eigen::Index>& widths :
       {std::vector<Eigen::Index>{530, 4}, std::vector<Eigen::Index>{530, 37, 5},
        std::vector<Eigen::Index>{530, 130, 20, 3}}) {
    const Head head = random_head(widths, random);
    const Matrix found = predict_probabilities(head, matrix.view(), all_rows(70));
    const Eigen::MatrixXd expected = expected_probabilities(head, features);
    ASSERT_EQ(found.cols(), expected.cols());
    EXPECT_LT((found.cast<double>() - expected).norm() / expected.norm(), 1e-6);
    EXPECT_GT((expected.rowwise() - expected.colwise().mean()).norm(), 0.1);  // rows differ
  }
}

TEST(PredictProbabilities, ARowsBitsDoNotDependOnItsNeighbours) {
  Random random(32);
  const SparseMatrix matrix = sparse(random_features(70, 100, 0.3, random));
  const Head head = random_head({100, 33, 5}, random);
  const Matrix all = predict_probabilities(head, matrix.view(), all_rows(70));
  for (const RowIndex row : {0, 40, 69}) {
    const std::vector<RowIndex> one{row};
    EXPECT_EQ(predict_probabilities(head, matrix.view(), one), all.row(row)) << row;
  }
  // More rows than are multiplied together.
  std::vector<RowIndex> many;
  for (RowIndex i = 0; i < 9000; ++i) many.push_back(i * 11 % 70);
  const Matrix of_many = predict_probabilities(head, matrix.view(), many);
  ASSERT_EQ(of_many.rows(), 9000);
  for (std::size_t i = 0; i < many.size(); ++i)
    ASSERT_EQ(of_many.row(static_cast<Eigen::Index>(i)), all.row(many[i])) << i;
}

TEST(PredictProbabilities, NoRowsGiveNoRows) {
  Random random(33);
  const SparseMatrix matrix = sparse(random_features(3, 10, 0.3, random));
  const Matrix found = predict_probabilities(random_head({10, 4, 2}, random), matrix.view(), {});
  EXPECT_EQ(found.rows(), 0);
  EXPECT_EQ(found.cols(), 2);
}

TEST(PredictProbabilities, AHeadForOtherFeaturesIsRefused) {
  Random random(34);
  const SparseMatrix matrix = sparse(random_features(3, 10, 0.3, random));
  const std::vector<RowIndex> row{0};
  EXPECT_THROW(static_cast<void>(predict_probabilities(random_head({11, 2}, random), matrix.view(), row)),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(predict_probabilities(Head{}, matrix.view(), row)), std::invalid_argument);
}

TEST(L2Penalty, SumsTheSquaresOfEveryKernelAndOfNoBias) {
  Head head;
  head.layers.push_back({Matrix::Constant(2, 3, 2.0F), RowVector::Constant(3, 100.0F)});
  head.layers.push_back({Matrix::Constant(3, 1, -1.0F), RowVector::Constant(1, 100.0F)});
  EXPECT_NEAR(l2_penalty(head, 0.5), 0.5 * (6 * 4.0 + 3 * 1.0), 1e-12);
}

}  // namespace
}  // namespace headstart::test
