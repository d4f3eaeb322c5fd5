// tests/features/blocks/native_blocks_test.cpp: what only the native blocks promise.
// trainable_blocks_test.cpp holds them against loops in double, as it does all paths.
#include "features/blocks/native_blocks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "tests/features/engines/golden_features.hpp"

namespace headstart::test {
namespace {

constexpr int kImages = 3;
constexpr int kInputSize = 64;

std::vector<float> draws(std::size_t size, float mean, float deviation, float least) {
  std::mt19937 generator(7);
  std::normal_distribution<float> normal(mean, deviation);
  std::vector<float> values(size);
  for (float& value : values) value = std::max(normal(generator), least);
  return values;
}

/// Everything that two steps make, one array after the other.
std::vector<float> two_steps(TrainableBlocks& blocks, int first_block) {
  const Tap below = tap_below(vgg16(), first_block);
  const std::vector<float> maps =
      draws(kImages * tap_shape(vgg16(), below, kInputSize).size(), -70.0F, 100.0F, 0.0F);
  std::vector<float> all;
  const auto keep = [&](std::span<const float> values) {
    all.insert(all.end(), values.begin(), values.end());
  };
  for (int i = 0; i < 2; ++i) {
    const std::span<const float> output = blocks.forward(maps);
    keep(output);
    blocks.backward(draws(output.size(), 0.0F, 1e-3F, -1.0F));
    blocks.step({.learning_rate = 1e-3, .penalty = {1e-4, 1e-3}});
  }
  for (const std::vector<ConvolutionWeights>& arrays :
       {blocks.weights(), blocks.velocities(), blocks.gradients()}) {
    for (const ConvolutionWeights& layer : arrays) {
      keep(layer.kernel);
      keep(layer.bias);
    }
  }
  return all;
}

std::vector<float> two_steps(int first_block, int threads, const winograd::Kernels& kernels) {
  const auto blocks = open_native_blocks(
      embedded_weights(),
      {.first_block = first_block, .input_size = kInputSize, .batch_size = kImages, .threads = threads},
      kernels);
  return two_steps(*blocks, first_block);
}

TEST(NativeBlocks, BitsDependNeitherOnThreadsNorOnTheInstructionSet) {
  for (const int first_block : {5, 4}) {
    const std::vector<float> expected = two_steps(first_block, 1, winograd::best_kernels());
    // Not EXPECT_EQ, which would print millions of numbers.
    EXPECT_TRUE(two_steps(first_block, 2, winograd::best_kernels()) == expected) << first_block;
    EXPECT_TRUE(two_steps(first_block, 3, winograd::best_kernels()) == expected) << first_block;
  }
  const std::vector<float> expected = two_steps(5, 2, winograd::best_kernels());
  for (const winograd::Kernels& kernels : winograd::all_kernels()) {
    if (!kernels.is_fused) continue;
    EXPECT_TRUE(two_steps(5, 2, kernels) == expected) << kernels.target;
  }
}

TEST(NativeBlocks, SaysHowItComputes) {
  const auto blocks = open_native_blocks(embedded_weights(), {.first_block = 4, .batch_size = 1});
  EXPECT_EQ(blocks->description(), "native (" HEADSTART_VERSION
                                   ": winograd F(6x6,3x3) in 8 passes, F(5x5,3x3) in 9, " +
                                       std::string(winograd::best_kernels().target) + ")");
}

}  // namespace
}  // namespace headstart::test
