// tests/head/search/calibration_test.cpp
#include "head/search/calibration.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "head/layers/softmax_cross_entropy.hpp"
#include "head/random.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

double mean_cross_entropy(const Matrix& logits, const std::vector<std::int32_t>& labels, double temperature) {
  double sum = 0.0;
  for (Eigen::Index row = 0; row < logits.rows(); ++row) {
    const Eigen::RowVectorXd z = logits.row(row).cast<double>() / temperature;
    sum += std::log((z.array() - z.maxCoeff()).exp().sum()) + z.maxCoeff() -
           z(labels[static_cast<std::size_t>(row)]);
  }
  return sum / static_cast<double>(logits.rows());
}

/// Labels drawn from softmax(logits / temperature).
std::vector<std::int32_t> draw_labels(const Matrix& logits, float temperature, Random& random) {
  Matrix probabilities = logits / temperature;
  softmax(probabilities);
  std::vector<std::int32_t> labels;
  for (Eigen::Index row = 0; row < logits.rows(); ++row) {
    float left = random.uniform();
    std::int32_t label = 0;
    while (label + 1 < logits.cols() && left >= probabilities(row, label))
      left -= probabilities(row, label++);
    labels.push_back(label);
  }
  return labels;
}

TEST(FitTemperature, SolvesTwoClassesByHand) {
  // Three rows in four are right by the same margin m: the best confidence is 3/4, so m / T = log 3.
  Matrix logits(4, 2);
  logits << 5, 1, 4, 0, 7, 3, 2, 6;
  const std::vector<std::int32_t> labels{0, 0, 0, 0};
  EXPECT_NEAR(fit_temperature(logits, labels), 4.0 / std::log(3.0), 1e-9);
}

TEST(FitTemperature, FindsTheTemperatureThatLabelsWereDrawnWith) {
  for (const float temperature : {0.4F, 1.0F, 3.0F}) {
    Random random(17);
    const Matrix logits = random_matrix(20000, 5, random, 6.0F);
    const double found = fit_temperature(logits, draw_labels(logits, temperature, random));
    EXPECT_NEAR(found / static_cast<double>(temperature), 1.0, 0.05);  // sampling: about one percent
  }
}

TEST(FitTemperature, IsNoWorseThanItsNeighboursAndTheGrid) {
  EXPECT_TRUE(rc::check([] {
    Random random(*rc::gen::arbitrary<std::uint64_t>());
    const float scale = static_cast<float>(std::pow(10.0, 3.0 * static_cast<double>(random.uniform()) - 1.0));
    const Matrix logits = random_matrix(*rc::gen::inRange(1, 12), *rc::gen::inRange(2, 5), random, scale);
    const std::vector<std::int32_t> labels = draw_labels(logits, scale, random);
    const double found = fit_temperature(logits, labels);
    RC_ASSERT(found >= 0.05 * (1.0 - 1e-12));
    RC_ASSERT(found <= 20.0 * (1.0 + 1e-12));
    const double least = mean_cross_entropy(logits, labels, found);
    for (int i = 0; i <= 60; ++i) {
      const double other = 0.05 * std::pow(20.0 / 0.05, i / 60.0);
      RC_ASSERT(least <= mean_cross_entropy(logits, labels, other) + 1e-12);
    }
  }));
}

TEST(FitTemperature, ScalesWithTheLogits) {
  Random random(2);
  const Matrix logits = random_matrix(50, 4, random, 3.0F);
  const std::vector<std::int32_t> labels = draw_labels(logits, 1.5F, random);
  const double once = fit_temperature(logits, labels);
  EXPECT_NEAR(fit_temperature(4.0F * logits, labels) / once, 4.0, 1e-9);
  EXPECT_EQ(fit_temperature(logits, labels), once);  // to the bit
}

TEST(FitTemperature, StopsAtTheEndsWhereThereIsNoMinimum) {
  Matrix logits(3, 3);
  logits << 9, 1, 2, 0, 5, 1, 1, 2, 8;
  EXPECT_EQ(fit_temperature(logits, std::vector<std::int32_t>{0, 1, 2}), 0.05);  // perfectly separated
  EXPECT_EQ(fit_temperature(logits, std::vector<std::int32_t>{1, 0, 0}), 20.0);  // worse than a guess
  EXPECT_EQ(fit_temperature(logits, std::vector<std::int32_t>{0, 1, 2}, {0.5, 2.0}), 0.5);
  EXPECT_EQ(fit_temperature(logits, std::vector<std::int32_t>{1, 0, 0}, {0.5, 2.0}), 2.0);
}

TEST(FitTemperature, IsOneWhereItChangesNothing) {
  EXPECT_EQ(fit_temperature(Matrix::Constant(3, 4, 7.0F), std::vector<std::int32_t>{0, 1, 2}), 1.0);
  EXPECT_EQ(fit_temperature(Matrix::Ones(3, 1), std::vector<std::int32_t>{0, 0, 0}), 1.0);
}

TEST(FitTemperature, TakesHugeLogits) {
  Matrix logits(4, 2);
  logits << 1e8F, 0, 1e8F, 0, 0, 1e8F, 1e8F, 0;
  EXPECT_EQ(fit_temperature(logits, std::vector<std::int32_t>{0, 0, 0, 0}), 20.0);
  const TemperatureRange wide{1e-3, 1e12};
  EXPECT_NEAR(fit_temperature(logits, std::vector<std::int32_t>{0, 0, 0, 0}, wide) * std::log(3.0) / 1e8, 1.0,
              1e-9);
}

TEST(FitTemperature, RefusesWhatItCannotFit) {
  const auto fit = [](const Matrix& logits, const std::vector<std::int32_t>& labels,
                      const TemperatureRange& range = {}) {
    static_cast<void>(fit_temperature(logits, labels, range));
  };
  EXPECT_NO_THROW(fit(Matrix::Identity(2, 2), {0, 1}));
  EXPECT_THROW(fit(Matrix::Identity(2, 2), {0}), std::invalid_argument);
  EXPECT_THROW(fit(Matrix(0, 2), {}), std::invalid_argument);
  EXPECT_THROW(fit(Matrix::Identity(2, 2), {0, 2}), std::invalid_argument);
  EXPECT_THROW(fit(Matrix::Identity(2, 2), {-1, 0}), std::invalid_argument);
  EXPECT_THROW(fit(Matrix::Constant(2, 2, std::numeric_limits<float>::infinity()), {0, 1}),
               std::invalid_argument);
  EXPECT_THROW(fit(Matrix::Identity(2, 2), {0, 1}, {0.0, 1.0}), std::invalid_argument);
  EXPECT_THROW(fit(Matrix::Identity(2, 2), {0, 1}, {2.0, 1.0}), std::invalid_argument);
}

TEST(WithTemperature, DividesTheLogitsAndNothingElse) {
  Head head;
  head.layers.push_back({Matrix::Constant(2, 3, 0.5F), RowVector::Constant(3, 1.0F)});
  head.layers.push_back({Matrix::Constant(3, 2, 4.0F), RowVector::Constant(2, 8.0F)});
  const Head cooled = with_temperature(head, 2.0);
  EXPECT_EQ(cooled.layers[0], head.layers[0]);
  EXPECT_EQ(cooled.layers[1], (Dense{Matrix::Constant(3, 2, 2.0F), RowVector::Constant(2, 4.0F)}));
  EXPECT_EQ(with_temperature(head, 1.0).layers[1], head.layers[1]);
  EXPECT_THROW(static_cast<void>(with_temperature(head, 0.0)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(with_temperature({}, 2.0)), std::invalid_argument);
}

}  // namespace
}  // namespace headstart::test
