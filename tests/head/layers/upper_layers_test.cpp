// tests/head/layers/upper_layers_test.cpp: dropout, and its gradient; the rest is tested through whole
// networks in trainer_test.cpp.
#include "head/layers/upper_layers.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/head/layers/gradient_check.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

std::vector<Dense> layers_of(const std::vector<Eigen::Index>& widths, Random& random) {
  std::vector<Dense> layers{{Matrix(), random_matrix(1, widths[0], random, 0.1F)}};
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    layers.push_back(
        {random_matrix(widths[l], widths[l + 1], random), random_matrix(1, widths[l + 1], random)});
  }
  return layers;
}

TEST(UpperLayersTest, DropoutLeavesOutItsShareAndKeepsTheMean) {
  // Logits that are the sum of 20,000 activations of one: their mean must stay, their number must shrink.
  std::vector<Dense> layers{{Matrix(), RowVector::Zero(20'000)},
                            {Matrix::Ones(20'000, 1), RowVector::Zero(1)}};
  UpperLayers upper(layers);
  const Matrix ones = Matrix::Ones(1, 20'000);
  for (const double rate : {0.2, 0.5, 0.9}) {
    const double kept = static_cast<double>(upper.forward(ones, {rate, 7})(0, 0)) * (1.0 - rate);
    EXPECT_NEAR(kept / 20'000, 1.0 - rate, 0.015) << rate;
    EXPECT_NE(kept, 20'000 * (1.0 - rate)) << "nothing was drawn";
  }
  EXPECT_EQ(upper.forward(ones)(0, 0), 20'000.0F);
}

TEST(UpperLayersTest, OneSeedLeavesOutTheSameActivationsAnotherDoesNot) {
  Random random(61);
  UpperLayers upper(layers_of({40, 30, 5}, random));
  const Matrix z = random_matrix(6, 40, random);
  const Matrix first = upper.forward(z, {0.5, 1});
  EXPECT_EQ(upper.forward(z, {0.5, 1}), first);
  EXPECT_NE(upper.forward(z, {0.5, 2}), first);
  EXPECT_NE(upper.forward(z), first);
}

TEST(UpperLayersTest, TheGradientUnderDropoutIsThatOfTheSameDraw) {
  Random random(62);
  const std::vector<Dense> layers = layers_of({12, 9, 4}, random);
  const Matrix weights = random_matrix(3, 4, random);  // the loss is <weights, logits>
  const Matrix z = random_matrix(3, 12, random);
  const Dropout dropout{0.4, 9};
  UpperLayers upper(layers);
  static_cast<void>(upper.forward(z, dropout));
  const Matrix gradient = upper.backward(weights);
  const auto loss = [&](std::span<const double> point) {
    Matrix moved(3, 12);
    for (std::size_t i = 0; i < point.size(); ++i) moved.data()[i] = static_cast<float>(point[i]);
    UpperLayers fresh(layers);
    return fresh.forward(moved, dropout).cast<double>().cwiseProduct(weights.cast<double>()).sum();
  };
  const std::vector<double> point(z.data(), z.data() + z.size());
  const std::vector<double> claimed(gradient.data(), gradient.data() + gradient.size());
  // The network computes in float: a step of a thousandth balances rounding against kinks.
  const GradientCheck check = check_gradient(loss, point, claimed, 1e-3);
  EXPECT_LT(check.worst_error, 2e-3) << check;
  EXPECT_GT(check.largest, 0.5);
}

}  // namespace
}  // namespace headstart::test
