// tests/head/insight/metrics_test.cpp
#include "head/insight/metrics.hpp"

#include "head/layers/softmax_cross_entropy.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

namespace headstart::test {
namespace {

// Six rows, three classes; predictions are 0 0 1 1 1 2 (row 3 is a tie).
struct MetricsExample {
  Matrix probabilities = Matrix(6, 3);
  std::vector<std::int32_t> labels{0, 1, 1, 1, 0, 2};
  MetricsExample() {
    probabilities << 0.7F, 0.2F, 0.1F,  //
        0.5F, 0.3F, 0.2F,               //
        0.1F, 0.8F, 0.1F,               //
        0.2F, 0.4F, 0.4F,               //
        0.3F, 0.6F, 0.1F,               //
        0.05F, 0.05F, 0.9F;
  }
};

TEST(Evaluate, GivesTheHandComputedValuesOfASmallExample) {
  const MetricsExample example;
  const Metrics metrics = evaluate(example.probabilities, example.labels);
  EXPECT_EQ(metrics.rows, 6);
  EXPECT_NEAR(
      metrics.cross_entropy,
      -(std::log(0.7) + std::log(0.3) + std::log(0.8) + std::log(0.4) + std::log(0.3) + std::log(0.9)) / 6.0,
      1e-7);
  EXPECT_NEAR(metrics.accuracy, 4.0 / 6.0, 1e-15);
  EXPECT_NEAR(metrics.balanced_accuracy, (0.5 + 2.0 / 3.0 + 1.0) / 3.0, 1e-15);
  const std::vector<ConfusionCount> confusion{{0, 0, 1}, {0, 1, 1}, {1, 0, 1}, {1, 1, 2}, {2, 2, 1}};
  EXPECT_EQ(metrics.confusion, confusion);
  ASSERT_EQ(metrics.per_class.size(), 3U);
  EXPECT_NEAR(metrics.per_class[0].precision, 0.5, 1e-15);
  EXPECT_NEAR(metrics.per_class[0].recall, 0.5, 1e-15);
  EXPECT_NEAR(metrics.per_class[1].precision, 2.0 / 3.0, 1e-15);
  EXPECT_NEAR(metrics.per_class[1].recall, 2.0 / 3.0, 1e-15);
  EXPECT_NEAR(metrics.per_class[1].f1, 2.0 / 3.0, 1e-15);
  EXPECT_NEAR(metrics.per_class[2].f1, 1.0, 1e-15);
  EXPECT_EQ(metrics.per_class[1].support, 3);
  EXPECT_NEAR(metrics.macro_f1, (0.5 + 2.0 / 3.0 + 1.0) / 3.0, 1e-15);
  // Every confidence is in a bin of its own: the mean of |right - confidence|.
  EXPECT_NEAR(metrics.expected_calibration_error, (0.3 + 0.5 + 0.2 + 0.6 + 0.6 + 0.1) / 6.0, 1e-6);
  EXPECT_FALSE(metrics.top5_accuracy);
}

TEST(Evaluate, RowsOfOneConfidenceBinAreAveragedBeforeTheGapIsTaken) {
  Matrix probabilities(2, 2);
  probabilities << 0.70F, 0.30F, 0.72F, 0.28F;  // both in (10/15, 11/15]
  const std::vector<std::int32_t> labels{0, 1};
  const Metrics metrics = evaluate(probabilities, labels);
  EXPECT_NEAR(metrics.expected_calibration_error, std::abs(1.0 - 1.42) / 2.0, 1e-6);
  ASSERT_EQ(metrics.calibration.size(), kCalibrationBins);
  for (std::size_t i = 0; i < kCalibrationBins; ++i) EXPECT_EQ(metrics.calibration[i].rows, i == 10 ? 2 : 0);
  EXPECT_NEAR(metrics.calibration[10].confidence, 0.71, 1e-6);
  EXPECT_EQ(metrics.calibration[10].accuracy, 0.5);
}

TEST(Evaluate, AConfidenceOfOneFallsIntoTheLastBin) {
  Matrix probabilities(2, 2);
  probabilities << 1.0F, 0.0F, 0.0F, 1.0F;
  const std::vector<std::int32_t> labels{0, 0};
  const Metrics metrics = evaluate(probabilities, labels);
  EXPECT_NEAR(metrics.expected_calibration_error, 0.5, 1e-12);
  EXPECT_TRUE(std::isfinite(metrics.cross_entropy));  // the label's probability is 0
  EXPECT_GT(metrics.cross_entropy, 40.0);
}

TEST(Evaluate, MacroF1LeavesOutAClassThatHasNeitherRowsNorPredictions) {
  Matrix probabilities(2, 4);
  probabilities << 0.6F, 0.2F, 0.1F, 0.1F, 0.3F, 0.5F, 0.1F, 0.1F;
  const std::vector<std::int32_t> labels{0, 2};  // class 1 is predicted, class 2 has a row, class 3 neither
  const Metrics metrics = evaluate(probabilities, labels);
  EXPECT_NEAR(metrics.macro_f1, 1.0 / 3.0, 1e-15);
  EXPECT_EQ(metrics.per_class[2].precision, 0.0);
  EXPECT_EQ(metrics.per_class[3].support, 0);
}

TEST(Evaluate, BalancedAccuracyIsScikitLearns) {
  // balanced_accuracy_score, accuracy_score and f1_score(average='macro', zero_division=0) of scikit-learn
  // 1.7.2. Class 2 has predictions and no rows, class 4 the same.
  const std::vector<std::int32_t> labels{0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 3, 3};
  const std::vector<std::int32_t> predicted{0, 0, 0, 0, 0, 1, 4, 1, 0, 1, 3, 2};
  Matrix probabilities = Matrix::Constant(12, 5, 0.1F);
  for (Eigen::Index row = 0; row < 12; ++row)
    probabilities(row, predicted[static_cast<std::size_t>(row)]) = 0.6F;
  const Metrics metrics = evaluate(probabilities, labels);
  EXPECT_NEAR(metrics.balanced_accuracy, 0.626984126984127, 1e-15);
  EXPECT_NEAR(metrics.accuracy, 0.6666666666666666, 1e-15);
  EXPECT_NEAR(metrics.macro_f1, 0.4205128205128205, 1e-15);
}

TEST(Evaluate, TheConfusionMatrixGrowsWithTheRowsAndNotWithThePairsOfClasses) {
  constexpr int kClasses = 3000;  // all pairs would take 72 MB
  const Matrix probabilities = Matrix::Identity(2, kClasses);
  const Metrics metrics = evaluate(probabilities, std::vector<std::int32_t>{kClasses - 1, 1});
  const std::vector<ConfusionCount> confusion{{1, 1, 1}, {kClasses - 1, 0, 1}};
  EXPECT_EQ(metrics.confusion, confusion);
  EXPECT_EQ(metrics.per_class.size(), static_cast<std::size_t>(kClasses));
}

TEST(MostProbableClasses, FallInProbabilityAndInATieTheLowerClassIsFirst) {
  Matrix probabilities(1, 5);
  probabilities << 0.1F, 0.3F, 0.3F, 0.2F, 0.1F;
  EXPECT_EQ(most_probable_classes(probabilities, 0, 4), (std::vector<std::int32_t>{1, 2, 3, 0}));
  EXPECT_EQ(most_probable_classes(probabilities, 0, 9), (std::vector<std::int32_t>{1, 2, 3, 0, 4}));
}

TEST(Evaluate, TopFiveCountsTheFirstClassesOfATie) {
  Matrix probabilities = Matrix::Constant(2, 6, 1.0F / 6.0F);
  const std::vector<std::int32_t> labels{4, 5};  // all equal: classes 0 to 4 are the five
  const Metrics metrics = evaluate(probabilities, labels);
  ASSERT_TRUE(metrics.top5_accuracy);
  EXPECT_NEAR(*metrics.top5_accuracy, 0.5, 1e-15);
  EXPECT_EQ(predicted_classes(probabilities), (std::vector<std::int32_t>{0, 0}));
}

TEST(Evaluate, RefusesNoRowsShapesThatDisagreeAndLabelsOutOfRange) {
  const MetricsExample example;
  EXPECT_THROW(static_cast<void>(evaluate(Matrix(0, 3), {})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(evaluate(example.probabilities, std::vector<std::int32_t>{0})),
               std::invalid_argument);
  std::vector<std::int32_t> labels = example.labels;
  labels[4] = 3;
  try {
    static_cast<void>(evaluate(example.probabilities, labels));
    FAIL() << "label 3 of three classes was taken";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("label 3 of row 4"), std::string::npos) << error.what();
  }
}

TEST(Metrics, FromLogitsKeepTheCrossEntropyOfAProbabilityTooSmallForAFloat) {
  Matrix logits(2, 2);
  logits << 1000.0F, 0.0F, 0.0F, 1.0F;
  const std::vector<std::int32_t> labels{1, 1};
  const Metrics metrics = evaluate_logits(logits, labels);
  EXPECT_NEAR(metrics.cross_entropy, (1000.0 + std::log1p(std::exp(-1.0))) / 2.0, 1e-4);
  EXPECT_DOUBLE_EQ(metrics.accuracy, 0.5);
  Matrix probabilities = logits;
  softmax(probabilities);
  EXPECT_EQ(metrics.confusion, evaluate(probabilities, labels).confusion);
}

}  // namespace
}  // namespace headstart::test
