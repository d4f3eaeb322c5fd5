// tests/head/layers/softmax_cross_entropy_test.cpp
#include "head/layers/softmax_cross_entropy.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "head/random.hpp"
#include "tests/head/layers/gradient_check.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

// What the header says, in the most direct double arithmetic.
double reference_loss(std::span<const double> z, std::span<const std::int32_t> labels, std::size_t classes,
                      double smoothing, std::span<const float> weights) {
  double loss = 0.0;
  for (std::size_t r = 0; r < labels.size(); ++r) {
    const std::span<const double> row = z.subspan(r * classes, classes);
    double sum = 0.0;
    for (const double logit : row) sum += std::exp(logit);
    const auto label = static_cast<std::size_t>(labels[r]);
    const double weight = weights.empty() ? 1.0 : static_cast<double>(weights[label]);
    for (std::size_t c = 0; c < classes; ++c) {
      const double target = (c == label ? 1.0 - smoothing : 0.0) + smoothing / static_cast<double>(classes);
      loss -= weight * target * (row[c] - std::log(sum));
    }
  }
  return loss;
}

struct Case {
  double smoothing;
  std::vector<float> weights;
};

class SoftmaxCrossEntropy : public testing::TestWithParam<Case> {};

TEST_P(SoftmaxCrossEntropy, LossAndGradientAgreeWithDirectDoubleArithmetic) {
  constexpr Eigen::Index kRows = 7;
  constexpr Eigen::Index kClasses = 5;
  Random random(11);
  Matrix z = random_matrix(kRows, kClasses, random, 3.0F);
  const std::vector<double> point(z.data(), z.data() + z.size());
  const std::vector<std::int32_t> labels{0, 4, 2, 2, 1, 3, 0};
  const auto loss = [&](std::span<const double> logits) {
    return reference_loss(logits, labels, kClasses, GetParam().smoothing, GetParam().weights);
  };

  const BatchLoss result = softmax_cross_entropy(z, labels, {GetParam().smoothing, GetParam().weights});

  EXPECT_NEAR(result.loss, loss(point), 1e-12 * result.loss);
  const std::vector<double> gradient(z.data(), z.data() + z.size());
  const GradientCheck check = check_gradient(
      [&](std::span<const double> logits) { return loss(logits) / static_cast<double>(kRows); }, point,
      gradient);
  EXPECT_LT(check.worst_error, 1e-7) << check;  // the gradient is stored in float
  EXPECT_GT(check.largest, 0.05);
}

INSTANTIATE_TEST_SUITE_P(Options, SoftmaxCrossEntropy,
                         testing::Values(Case{0.0, {}}, Case{0.2, {}},
                                         Case{0.0, {1.0F, 2.0F, 0.5F, 1.5F, 0.25F}},
                                         Case{0.1, {1.0F, 2.0F, 0.5F, 1.5F, 0.25F}}));

TEST(SoftmaxCrossEntropyTest, HugeLogitsDoNotOverflow) {
  Matrix z(2, 2);
  z << 1e30F, -1e30F, 1e30F, 1e30F;
  const std::vector<std::int32_t> labels{0, 1};
  const BatchLoss result = softmax_cross_entropy(z, labels, {});
  EXPECT_NEAR(result.loss, std::log(2.0), 1e-12);
  EXPECT_EQ(result.correct, 1);  // a tie goes to the first class
  EXPECT_FLOAT_EQ(z(0, 0), 0.0F);
  EXPECT_FLOAT_EQ(z(1, 0), 0.25F);
  EXPECT_FLOAT_EQ(z(1, 1), -0.25F);
}

TEST(SoftmaxCrossEntropyTest, ALogitThatIsNotANumberMakesTheLossNotANumber) {
  Matrix z = Matrix::Zero(1, 3);
  z(0, 1) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(softmax_cross_entropy(z, std::vector<std::int32_t>{0}, {}).loss));
}

TEST(SoftmaxCrossEntropyTest, ALabelOutOfRangeIsNamedWithItsRowAndLeavesTheLogitsAlone) {
  for (const std::int32_t bad : {-1, 3}) {
    Matrix z = Matrix::Constant(3, 3, 0.5F);
    const Matrix before = z;
    const std::vector<std::int32_t> labels{0, bad, 7};
    try {
      static_cast<void>(softmax_cross_entropy(z, labels, {}));
      FAIL() << "label " << bad << " was taken";
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find("label " + std::to_string(bad) + " of row 1"),
                std::string::npos)
          << error.what();
    }
    EXPECT_EQ(z, before);
  }
}

TEST(SoftmaxCrossEntropyTest, ShapesThatDisagreeAreRefused) {
  Matrix z = Matrix::Zero(2, 3);
  const std::vector<std::int32_t> one{0};
  const std::vector<std::int32_t> two{0, 1};
  const std::vector<float> weights{1.0F, 1.0F};
  EXPECT_THROW(static_cast<void>(softmax_cross_entropy(z, one, {})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(softmax_cross_entropy(z, two, {0.0, weights})), std::invalid_argument);
}

TEST(Softmax, RowsSumToOneAndKeepTheOrderOfTheLogits) {
  Random random(3);
  Matrix z = random_matrix(20, 10, random, 50.0F);
  const Matrix logits = z;
  softmax(z);
  for (Eigen::Index r = 0; r < z.rows(); ++r) {
    EXPECT_NEAR(z.row(r).cast<double>().sum(), 1.0, 1e-6);
    Eigen::Index largest_logit = 0;
    Eigen::Index largest_probability = 0;
    logits.row(r).maxCoeff(&largest_logit);
    z.row(r).maxCoeff(&largest_probability);
    EXPECT_EQ(largest_logit, largest_probability);
  }
}

}  // namespace
}  // namespace headstart::test
