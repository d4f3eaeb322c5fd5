// tests/features/engines/winograd/cook_toom_test.cpp: F(m,3) computed with the matrices, in double, is the
// correlation.
#include "features/engines/winograd/cook_toom.hpp"

#include <gtest/gtest.h>

#include <random>

namespace headstart::winograd {
namespace {

template <std::size_t kOutputs>
void expect_correlation() {
  using Matrices = CookToom<kOutputs>;
  std::minstd_rand random(1);
  std::uniform_real_distribution<double> value(-1.0, 1.0);
  std::array<double, Matrices::kInputs> inputs{};
  std::array<double, 3> taps{};
  for (double& input : inputs) input = value(random);
  for (double& tap : taps) tap = value(random);
  std::array<double, Matrices::kInputs> products{};
  for (std::size_t i = 0; i < Matrices::kInputs; ++i) {
    double input = 0.0;
    double kernel = 0.0;
    for (std::size_t j = 0; j < Matrices::kInputs; ++j) input += Matrices::kInput[i][j] * inputs[j];
    for (std::size_t j = 0; j < 3; ++j) kernel += Matrices::kKernel[i][j] * taps[j];
    products[i] = input * kernel;
  }
  for (std::size_t i = 0; i < kOutputs; ++i) {
    double output = 0.0;
    for (std::size_t j = 0; j < Matrices::kInputs; ++j) output += Matrices::kOutput[i][j] * products[j];
    const double expected = inputs[i] * taps[0] + inputs[i + 1] * taps[1] + inputs[i + 2] * taps[2];
    EXPECT_NEAR(output, expected, 1e-13) << "output " << i << " of F(" << kOutputs << ",3)";
  }
}

TEST(CookToom, TheMatricesGiveTheCorrelation) {
  expect_correlation<4>();
  expect_correlation<5>();
  expect_correlation<6>();
}

template <std::size_t kOutputs>
void expect_exact_in_float32() {
  using Matrices = CookToom<kOutputs>;
  for (const auto& row : Matrices::kInput) {
    for (const double entry : row) EXPECT_EQ(static_cast<double>(static_cast<float>(entry)), entry);
  }
  for (const auto& row : Matrices::kOutput) {
    for (const double entry : row) EXPECT_EQ(static_cast<double>(static_cast<float>(entry)), entry);
  }
}

TEST(CookToom, WhatIsAppliedInFloat32IsExactInIt) {
  expect_exact_in_float32<4>();
  expect_exact_in_float32<5>();
  expect_exact_in_float32<6>();
}

}  // namespace
}  // namespace headstart::winograd
