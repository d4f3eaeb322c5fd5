// tests/features/blocks/libtorch_blocks_test.cpp: libtorch against oneDNN, from the same weights and maps.
// trainable_blocks_test.cpp holds each of them against loops in double.
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "features/blocks/registry.hpp"
#include "tests/features/engines/golden_features.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/nightly.hpp"

namespace headstart::test {
namespace {

constexpr int kRows = 2;

/// Draws from a normal distribution, negative ones as `least` at least.
std::vector<float> draws(std::size_t size, float mean, float deviation, float least, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(mean, deviation);
  std::vector<float> values(size);
  for (float& value : values) value = std::max(normal(generator), least);
  return values;
}

std::vector<float> copy_of(std::span<const float> values) { return {values.begin(), values.end()}; }

void expect_near(const std::vector<ConvolutionWeights>& found, const std::vector<ConvolutionWeights>& wanted,
                 double tolerance) {
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t l = 0; l < found.size(); ++l) {
    EXPECT_LE(relative_l2_error(found[l].kernel, wanted[l].kernel), tolerance) << "kernel " << l;
    EXPECT_LE(relative_l2_error(found[l].bias, wanted[l].bias), tolerance) << "bias " << l;
  }
}

double largest_error(const std::vector<ConvolutionWeights>& found,
                     const std::vector<ConvolutionWeights>& wanted) {
  double largest = 0.0;
  for (std::size_t l = 0; l < wanted.size(); ++l) {
    largest = std::max({largest, relative_l2_error(found[l].kernel, wanted[l].kernel),
                        relative_l2_error(found[l].bias, wanted[l].bias)});
  }
  return largest;
}

/// First block and input size. Both paths have been forward and back on a draw on which they decide alike:
/// among a hundred thousand ReLUs and pools now and then one is so close that float32 decides otherwise than
/// exact numbers would, and the gradient jumps by up to a hundredth. With an error of ours it would on every
/// draw.
class LibtorchBlocks : public testing::TestWithParam<std::pair<int, int>> {
 protected:
  void SetUp() override {
    if (GetParam() != std::pair{5, 64}) HEADSTART_ONLY_NIGHTLY();
    for (const BackpropAvailability& path : list_backprops()) {
      if (path.backprop == Backprop::kLibtorch && !path.available) GTEST_SKIP() << path.detail;
    }
    libtorch_ = open(Backprop::kLibtorch);
    onednn_ = open(Backprop::kOnednn);
    for (const unsigned seed : {61U, 71U, 81U, 91U}) {
      draw(seed);
      forward_and_back(*libtorch_);
      forward_and_back(*onednn_);
      if (largest_error(libtorch_->gradients(), onednn_->gradients()) <= 1e-4) return;
    }
    FAIL() << "the gradients differ on every draw";
  }

  void draw(unsigned seed) {
    const auto [first_block, input_size] = GetParam();
    const Tap below = tap_below(vgg16(), first_block);
    // As VGG16's are: three quarters zero, the rest of a few hundred.
    maps_ = draws(kRows * tap_shape(vgg16(), below, input_size).size(), -70.0F, 100.0F, 0.0F, seed);
    gradient_ = draws(kRows * tap_shape(vgg16(), Tap{"block5_pool"}, input_size).size(), 0.0F, 1e-3F, -1.0F,
                      seed + 1);
  }

  static std::unique_ptr<TrainableBlocks> open(Backprop backprop) {
    const auto [first_block, input_size] = GetParam();
    return open_trainable_blocks(
        embedded_weights(), backprop,
        {.first_block = first_block, .input_size = input_size, .batch_size = kRows, .threads = 2});
  }

  void forward_and_back(TrainableBlocks& blocks) const {
    static_cast<void>(blocks.forward(maps_));
    blocks.backward(gradient_);
  }

  std::unique_ptr<TrainableBlocks> libtorch_;
  std::unique_ptr<TrainableBlocks> onednn_;
  std::vector<float> maps_;
  std::vector<float> gradient_;
};

TEST_P(LibtorchBlocks, ForwardAndGradientsAreOnednns) {
  expect_near(libtorch_->gradients(), onednn_->gradients(), 1e-4);
  EXPECT_LE(relative_l2_error(copy_of(libtorch_->forward(maps_)), copy_of(onednn_->forward(maps_))), 1e-5);
}

TEST_P(LibtorchBlocks, StepsAreOnednns) {  // along the one gradient: as weights move, decisions change
  for (const bool nesterov : {false, true}) {
    const BlocksStep step{.learning_rate = 1e-2,
                          .momentum = 0.8,
                          .nesterov = nesterov,
                          .penalty = {2e-4, 3e-3},
                          .gradient_scale = 0.5};
    for (int i = 0; i < 3; ++i) {
      libtorch_->step(step);
      onednn_->step(step);
    }
    expect_near(libtorch_->weights(), onednn_->weights(), 1e-5);
    expect_near(libtorch_->velocities(), onednn_->velocities(), 1e-4);
    const BlocksPenalty& penalty = step.penalty;
    EXPECT_NEAR(libtorch_->penalty(penalty) / onednn_->penalty(penalty), 1.0, 1e-6);
    EXPECT_NEAR(libtorch_->gradient_squared_norm(penalty) / onednn_->gradient_squared_norm(penalty), 1.0,
                1e-6);
  }
}

TEST_P(LibtorchBlocks, GoesOnFromWhatOnednnGaveAway) {
  onednn_->step({.learning_rate = 1e-2});
  libtorch_->restore(onednn_->weights(), onednn_->velocities());
  EXPECT_LE(relative_l2_error(copy_of(libtorch_->forward(maps_)), copy_of(onednn_->forward(maps_))), 1e-5);
  for (std::size_t l = 0; l < onednn_->weights().size(); ++l) {
    EXPECT_EQ(libtorch_->weights()[l].kernel, onednn_->weights()[l].kernel) << l;
    EXPECT_EQ(libtorch_->velocities()[l].kernel, onednn_->velocities()[l].kernel) << l;
  }
}

TEST_P(LibtorchBlocks, SaysWhereItComputes) {
  const std::string& said = libtorch_->description();
  EXPECT_EQ(said.rfind("libtorch (", 0), 0U) << said;
  EXPECT_TRUE(said.ends_with(" on the CPU)") || said.ends_with(" on CUDA device 0)")) << said;
}

TEST_P(LibtorchBlocks, LeavesTheCallersThreadsAsTheyWere) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(3);
  const auto blocks = open(Backprop::kLibtorch);
  EXPECT_EQ(omp_get_max_threads(), 3);
  forward_and_back(*blocks);
  EXPECT_EQ(omp_get_max_threads(), 3);
  omp_set_num_threads(before);
}

TEST_P(LibtorchBlocks, FlushesDenormalNumbersOnTheCpu) {
  if (!libtorch_->description().ends_with(" on the CPU)")) GTEST_SKIP() << libtorch_->description();
  static_cast<void>(libtorch_->forward(maps_));  // its graph is good for one way back
  libtorch_->backward(std::vector<float>(gradient_.size(), 1e-41F));
  for (const ConvolutionWeights& layer : libtorch_->gradients()) {
    for (const float value : layer.bias) ASSERT_EQ(value, 0.0F);
  }
  volatile float tiny = 1e-30F;
  EXPECT_GT(tiny * 1e-10F, 0.0F) << "this thread flushes denormal numbers now";
}

// 48: a pool of three rows leaves one out.
INSTANTIATE_TEST_SUITE_P(Sizes, LibtorchBlocks,
                         testing::Values(std::pair{5, 64}, std::pair{4, 64}, std::pair{5, 48}),
                         [](const auto& param) {
                           return "block" + std::to_string(param.param.first) + "_at_" +
                                  std::to_string(param.param.second);
                         });

}  // namespace
}  // namespace headstart::test
