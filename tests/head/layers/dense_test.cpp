// tests/head/layers/dense_test.cpp
#include "head/layers/dense.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace headstart::test {
namespace {

TEST(GlorotUniform, FillsTheIntervalOfEquation16AndLeavesTheBiasZero) {
  Random random(5);
  const Dense layer = glorot_uniform(300, 200, random);
  const double limit = std::sqrt(6.0 / 500.0);
  EXPECT_LE(static_cast<double>(layer.kernel.cwiseAbs().maxCoeff()), limit);
  EXPECT_GT(static_cast<double>(layer.kernel.maxCoeff()), 0.999 * limit);
  EXPECT_LT(static_cast<double>(layer.kernel.minCoeff()), -0.999 * limit);
  // Variance of a uniform on (-l, l): l^2 / 3; 60,000 draws give it to about 0.4 %.
  EXPECT_NEAR(layer.kernel.cast<double>().squaredNorm() / 60'000.0, limit * limit / 3.0,
              0.02 * limit * limit / 3.0);
  EXPECT_NEAR(layer.kernel.cast<double>().mean(), 0.0, 0.02 * limit);
  EXPECT_EQ(layer.bias, RowVector::Zero(200));
}

TEST(GlorotUniform, TheSameSeedGivesTheSameLayer) {
  Random one(5);
  Random two(5);
  Random other(6);
  const Dense layer = glorot_uniform(7, 3, one);
  EXPECT_EQ(layer, glorot_uniform(7, 3, two));
  EXPECT_NE(layer.kernel, glorot_uniform(7, 3, other).kernel);
}

}  // namespace
}  // namespace headstart::test
