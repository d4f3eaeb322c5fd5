// tests/head/insight/class_activation_test.cpp: against the definition, its gradient by finite differences.
#include "head/insight/class_activation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

constexpr Eigen::Index kChannels = 5;
constexpr Eigen::Index kPositions = 6;
constexpr Eigen::Index kRows = 3;
constexpr std::int32_t kActivationClasses = 4;

/// A layer in double.
std::vector<double> dense(const std::vector<double>& x, const Dense& layer, bool relu) {
  std::vector<double> y(static_cast<std::size_t>(layer.bias.size()));
  for (std::size_t out = 0; out < y.size(); ++out) {
    y[out] = static_cast<double>(layer.bias(static_cast<Eigen::Index>(out)));
    for (std::size_t in = 0; in < x.size(); ++in)
      y[out] += x[in] * static_cast<double>(
                            layer.kernel(static_cast<Eigen::Index>(in), static_cast<Eigen::Index>(out)));
    if (relu) y[out] = std::max(y[out], 0.0);
  }
  return y;
}

/// The logit of one class from one map, in double, by definition.
double logit(const std::vector<double>& map, const Representation& representation, const Head& head,
             std::int32_t c) {
  std::vector<double> x = map;
  if (representation.pooling != Pooling::kFlatten) {
    const bool average = representation.pooling == Pooling::kAverage;
    x.assign(kChannels, 0.0);
    for (std::size_t i = 0; i < map.size(); ++i) {
      double& pooled = x[i % kChannels];
      pooled = average ? pooled + map[i] / kPositions : std::max(pooled, map[i]);
    }
  }
  if (representation.transform == Transform::kUnit) {
    double square = 0.0;
    for (const double value : x) square += value * value;
    for (double& value : x) value /= std::sqrt(square);
  }
  for (std::size_t i = 0; i < head.layers.size(); ++i)
    x = dense(x, head.layers[i], i + 1 < head.layers.size());
  return x[static_cast<std::size_t>(c)];
}

class ClassActivation : public testing::TestWithParam<std::tuple<Pooling, Transform, int>> {};

TEST_P(ClassActivation, IsTheDefinition) {
  const auto [pooling, transform, hidden] = GetParam();
  const Representation representation{pooling, transform};
  Random random(11);
  const Matrix maps = random_features(kRows, kPositions * kChannels, 0.7, random);
  Head head;
  Eigen::Index inputs = pooling == Pooling::kFlatten ? maps.cols() : kChannels;
  if (hidden > 0) {
    head.layers.push_back(glorot_uniform(inputs, hidden, random));
    head.layers.back().bias = random_matrix(1, hidden, random, 0.1F).row(0);
    inputs = hidden;
  }
  head.layers.push_back(glorot_uniform(inputs, kActivationClasses, random));
  const std::vector<std::int32_t> classes{2, 0, 3};
  const Matrix found =
      class_activation_maps(sparse(maps).view(), kChannels, representation, head, classes, 1);
  ASSERT_EQ(found.rows(), kRows);
  ASSERT_EQ(found.cols(), kPositions);
  double largest = 0.0;
  for (Eigen::Index row = 0; row < kRows; ++row) {
    std::vector<double> map(static_cast<std::size_t>(maps.cols()));
    for (std::size_t i = 0; i < map.size(); ++i)
      map[i] = static_cast<double>(maps(row, static_cast<Eigen::Index>(i)));
    std::vector<double> alpha(kChannels, 0.0);
    for (std::size_t i = 0; i < map.size(); ++i) {
      constexpr double kStep = 1e-6;
      std::vector<double> moved = map;
      moved[i] += kStep;
      const double above = logit(moved, representation, head, classes[static_cast<std::size_t>(row)]);
      moved[i] -= 2 * kStep;
      const double below = logit(moved, representation, head, classes[static_cast<std::size_t>(row)]);
      alpha[i % kChannels] += (above - below) / (2 * kStep) / kPositions;
    }
    for (Eigen::Index position = 0; position < kPositions; ++position) {
      double expected = 0.0;
      for (Eigen::Index k = 0; k < kChannels; ++k)
        expected +=
            alpha[static_cast<std::size_t>(k)] * static_cast<double>(maps(row, position * kChannels + k));
      EXPECT_NEAR(static_cast<double>(found(row, position)), std::max(expected, 0.0), 1e-5);
      largest = std::max(largest, expected);
    }
  }
  EXPECT_GT(largest, 0.01) << "maps of zeros would prove nothing";
}

INSTANTIATE_TEST_SUITE_P(
    Models, ClassActivation,
    testing::Combine(testing::Values(Pooling::kFlatten, Pooling::kAverage, Pooling::kMaximum),
                     testing::Values(Transform::kNone, Transform::kUnit), testing::Values(0, 7)),
    [](const auto& param) {
      return std::string(to_string(std::get<0>(param.param))) + "_" +
             std::string(to_string(std::get<1>(param.param))) + "_" +
             std::to_string(std::get<2>(param.param));
    });

TEST(ClassActivationMaps, ARowOfZerosLightsNothing) {
  Random random(1);
  Head head;
  head.layers = {glorot_uniform(kChannels, kActivationClasses, random)};
  const Matrix maps = Matrix::Zero(1, kPositions * kChannels);
  const std::vector<std::int32_t> classes{1};
  EXPECT_EQ(class_activation_maps(sparse(maps).view(), kChannels, {Pooling::kAverage, Transform::kUnit}, head,
                                  classes, 1),
            Matrix::Zero(1, kPositions));
}

TEST(ClassActivationMaps, RefuseWhatDoesNotFit) {
  Random random(1);
  Head head;
  head.layers = {glorot_uniform(kChannels, kActivationClasses, random)};
  const SparseMatrix maps = sparse(Matrix::Ones(2, kPositions * kChannels));
  const auto call = [&](std::int64_t channels, std::vector<std::int32_t> classes) {
    static_cast<void>(class_activation_maps(maps.view(), channels, {Pooling::kAverage, Transform::kNone},
                                            head, classes, 1));
  };
  EXPECT_THROW(call(kChannels, {0}), std::invalid_argument);
  EXPECT_THROW(call(kChannels, {0, kActivationClasses}), std::invalid_argument);
  EXPECT_THROW(call(4, {0, 0}), std::invalid_argument);
  EXPECT_THROW(call(3, {0, 0}), std::invalid_argument);
}

}  // namespace
}  // namespace headstart::test
