// tests/features/blocks/trainable_blocks_test.cpp: every backprop path against plain loops in double, those
// loops against finite differences in double, and the paths against finite differences of their own.
#include "features/blocks/registry.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <random>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "data/error.hpp"
#include "tests/features/blocks/reference_blocks.hpp"
#include "tests/features/engines/golden_features.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/nightly.hpp"

namespace headstart::test {
namespace {

constexpr std::size_t kBatch = 2;

std::vector<ConvolutionWeights> imagenet_from(int first_block) {
  const auto& layers = embedded_weights().layers;
  return {layers.end() - static_cast<std::ptrdiff_t>(convolutions_from(first_block).size()), layers.end()};
}

MapShape maps_shape(int first_block, int input_size) {
  return tap_shape(vgg16(), tap_below(vgg16(), first_block), input_size);
}

/// Activations as VGG16 has them: three quarters zero, the rest of a few hundred.
std::vector<float> made_up_maps(int first_block, int input_size, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(-70.0F, 100.0F);
  std::vector<float> maps(kBatch * maps_shape(first_block, input_size).size());
  for (float& value : maps) value = std::max(normal(generator), 0.0F);
  return maps;
}

std::vector<float> made_up_gradient(std::size_t size, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0F, 1e-3F);
  std::vector<float> gradient(size);
  for (float& value : gradient) value = normal(generator);
  return gradient;
}

/// The reference on every row: the outputs, and the gradients' sum.
struct ReferenceRun {
  Doubles output;
  std::vector<ReferenceLayer> gradients;
};
ReferenceRun run_reference(ReferenceBlocks& reference, const std::vector<float>& maps,
                           const std::vector<float>& gradient) {
  ReferenceRun run;
  run.gradients = reference.layers();
  for (ReferenceLayer& layer : run.gradients) {
    std::fill(layer.kernel.begin(), layer.kernel.end(), 0.0);
    std::fill(layer.bias.begin(), layer.bias.end(), 0.0);
  }
  const auto width = static_cast<std::ptrdiff_t>(maps.size() / kBatch);
  const auto top = static_cast<std::ptrdiff_t>(gradient.size() / kBatch);
  for (std::ptrdiff_t r = 0; r < static_cast<std::ptrdiff_t>(kBatch); ++r) {
    const Doubles output = reference.forward({maps.begin() + r * width, maps.begin() + (r + 1) * width});
    run.output.insert(run.output.end(), output.begin(), output.end());
    reference.backward({gradient.begin() + r * top, gradient.begin() + (r + 1) * top}, run.gradients);
  }
  return run;
}

double inner_product(const std::vector<float>& a, std::span<const double> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

std::vector<float> floats(const Doubles& values) { return {values.begin(), values.end()}; }

/// A random direction for an array, as long as a thousandth of it, from a seed.
Doubles direction_for(const Doubles& array, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  Doubles direction(array.size());
  double length = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i < array.size(); ++i) {
    direction[i] = normal(generator);
    length += direction[i] * direction[i];
    squares += array[i] * array[i];
  }
  for (double& d : direction) d *= std::sqrt(squares / length);
  return direction;
}

TEST(ReferenceBlocks, GradientsAreFiniteDifferences) {
  constexpr int kInput = 32;
  constexpr double kStep =
      1e-6;  // of an array's length: no ReLU flips, and rounding is about 1e-9 of the loss
  const std::vector<float> maps = made_up_maps(5, kInput, 1);
  ReferenceBlocks reference(reference_layers(imagenet_from(5), 5), 2);
  const std::vector<float> gradient = made_up_gradient(kBatch * 512, 2);
  const ReferenceRun run = run_reference(reference, maps, gradient);
  const auto loss = [&] { return inner_product(gradient, run_reference(reference, maps, gradient).output); };
  for (std::size_t l = 0; l < 3; ++l) {
    for (Doubles ReferenceLayer::*array : {&ReferenceLayer::kernel, &ReferenceLayer::bias}) {
      Doubles& weights = reference.layers()[l].*array;
      const Doubles before = weights;
      const Doubles direction = direction_for(before, 3 + static_cast<unsigned>(l));
      const auto loss_at = [&](double step) {
        for (std::size_t i = 0; i < before.size(); ++i) weights[i] = before[i] + step * direction[i];
        return loss();
      };
      const double numeric = (loss_at(kStep) - loss_at(-kStep)) / (2.0 * kStep);
      weights = before;
      double analytic = 0.0;
      for (std::size_t i = 0; i < before.size(); ++i) analytic += (run.gradients[l].*array)[i] * direction[i];
      EXPECT_GT(std::abs(numeric), 1e-6) << "a gradient of zeros proves nothing";
      EXPECT_NEAR(analytic / numeric, 1.0, 1e-5) << "layer " << l;
    }
  }
}

using Path = std::tuple<Backprop, std::pair<int, int>>;  // and first block, input size

class TrainableBlocksPath : public testing::TestWithParam<Path> {
 protected:
  void SetUp() override {
    // Two blocks take four times as long; every commit has them by the default path, and one block by all.
    if (first_block() == 4 && backprop() != Backprop::kNative) HEADSTART_ONLY_NIGHTLY();
    for (const BackpropAvailability& path : list_backprops()) {
      if (path.backprop == backprop() && !path.available) GTEST_SKIP() << path.detail;
    }
  }
  [[nodiscard]] static Backprop backprop() { return std::get<0>(GetParam()); }
  [[nodiscard]] static int first_block() { return std::get<1>(GetParam()).first; }
  [[nodiscard]] static int input_size() { return std::get<1>(GetParam()).second; }
  [[nodiscard]] static std::unique_ptr<TrainableBlocks> open() {
    return open_trainable_blocks(
        embedded_weights(), backprop(),
        {.first_block = first_block(), .input_size = input_size(), .batch_size = kBatch, .threads = 2});
  }
};

TEST_P(TrainableBlocksPath, ForwardAndGradientsAreTheReferences) {
  const std::vector<float> maps = made_up_maps(first_block(), input_size(), 11);
  const auto blocks = open();
  const std::span<const float> output = blocks->forward(maps);
  const std::vector<float> found(output.begin(), output.end());
  const std::vector<float> gradient = made_up_gradient(found.size(), 12);
  blocks->backward(gradient);
  ReferenceBlocks reference(reference_layers(imagenet_from(first_block()), first_block()),
                            static_cast<std::size_t>(maps_shape(first_block(), input_size()).height));
  const ReferenceRun run = run_reference(reference, maps, gradient);
  EXPECT_LE(relative_l2_error(found, floats(run.output)), 1e-5);  // the contract of fp32 engines
  const std::vector<ConvolutionWeights> gradients = blocks->gradients();
  ASSERT_EQ(gradients.size(), run.gradients.size());
  for (std::size_t l = 0; l < gradients.size(); ++l) {
    // Contract of fine-tuning. A ReLU whose input is next to zero may be on the other side in float32.
    EXPECT_LE(relative_l2_error(gradients[l].kernel, floats(run.gradients[l].kernel)), 1e-4) << l;
    EXPECT_LE(relative_l2_error(gradients[l].bias, floats(run.gradients[l].bias)), 1e-4) << l;
  }
}

TEST_P(TrainableBlocksPath, GradientsAreFiniteDifferencesOfItsOwn) {
  // In float32 and along the gradient, three ten-thousandths of an array's length moves the loss by far more
  // than rounding does; over it the loss bends and ReLUs flip, by up to 8 percent six layers below the loss.
  // The exact check is the one against the loops in double.
  constexpr double kStep = 3e-4;
  const std::vector<float> maps = made_up_maps(first_block(), input_size(), 21);
  const auto blocks = open();
  const std::size_t size = blocks->forward(maps).size();
  const std::vector<float> gradient = made_up_gradient(size, 22);
  blocks->backward(gradient);
  const std::vector<ConvolutionWeights> gradients = blocks->gradients();
  const std::vector<ConvolutionWeights> before = blocks->weights();
  const auto loss = [&](const std::vector<ConvolutionWeights>& weights) {
    blocks->restore(weights, blocks->velocities());
    const std::span<const float> output = blocks->forward(maps);
    return inner_product(gradient, Doubles(output.begin(), output.end()));
  };
  for (std::size_t l = 0; l < before.size(); ++l) {
    for (std::vector<float> ConvolutionWeights::*array :
         {&ConvolutionWeights::kernel, &ConvolutionWeights::bias}) {
      // Along the gradient, where the loss changes most.
      double length = 0.0;
      double squares = 0.0;
      for (std::size_t i = 0; i < (before[l].*array).size(); ++i) {
        length += std::pow(static_cast<double>((gradients[l].*array)[i]), 2);
        squares += std::pow(static_cast<double>((before[l].*array)[i]), 2);
      }
      const double scale = kStep * std::sqrt(squares / length);
      const auto loss_at = [&](double sign) {
        std::vector<ConvolutionWeights> moved = before;
        for (std::size_t i = 0; i < (moved[l].*array).size(); ++i)
          (moved[l].*array)[i] +=
              static_cast<float>(sign * scale * static_cast<double>((gradients[l].*array)[i]));
        return loss(moved);
      };
      const double numeric = (loss_at(1.0) - loss_at(-1.0)) / (2.0 * scale);
      EXPECT_NEAR(numeric / length, 1.0, 0.1) << "layer " << l;
    }
  }
}

TEST_P(TrainableBlocksPath, StepsAreSgdWithPenalties) {
  const auto blocks = open();
  const std::vector<float> maps = made_up_maps(first_block(), input_size(), 31);
  const std::vector<float> gradient = made_up_gradient(blocks->forward(maps).size(), 32);
  for (const bool nesterov : {false, true}) {
    const BlocksStep step{.learning_rate = 1e-3,
                          .momentum = 0.8,
                          .nesterov = nesterov,
                          .penalty = {2e-4, 3e-3},
                          .gradient_scale = 0.5};
    static_cast<void>(blocks->forward(maps));
    blocks->backward(gradient);
    const std::vector<ConvolutionWeights> g = blocks->gradients();
    const std::vector<ConvolutionWeights> w0 = imagenet_from(first_block());
    std::vector<ConvolutionWeights> w = blocks->weights();
    std::vector<ConvolutionWeights> v = blocks->velocities();
    double penalty = 0.0;
    double squares = 0.0;
    for (std::size_t l = 0; l < w.size(); ++l) {
      for (const bool kernel : {true, false}) {
        const auto array = kernel ? &ConvolutionWeights::kernel : &ConvolutionWeights::bias;
        for (std::size_t i = 0; i < (w[l].*array).size(); ++i) {
          const auto weight = static_cast<double>((w[l].*array)[i]);
          const double moved = kernel ? weight - static_cast<double>((w0[l].*array)[i]) : 0.0;
          if (kernel) penalty += 2e-4 * weight * weight + 3e-3 * moved * moved;
          const double whole = static_cast<double>((g[l].*array)[i]) +
                               (kernel ? 2.0 * 2e-4 * weight + 2.0 * 3e-3 * moved : 0.0);
          squares += whole * whole;
          const double velocity = 0.8 * static_cast<double>((v[l].*array)[i]) - 1e-3 * 0.5 * whole;
          (v[l].*array)[i] = static_cast<float>(velocity);
          (w[l].*array)[i] =
              static_cast<float>(weight + (nesterov ? 0.8 * velocity - 1e-3 * 0.5 * whole : velocity));
        }
      }
    }
    EXPECT_NEAR(blocks->penalty(step.penalty) / penalty, 1.0, 1e-6);
    EXPECT_NEAR(blocks->gradient_squared_norm(step.penalty) / squares, 1.0, 1e-6);
    blocks->step(step);
    const std::vector<ConvolutionWeights> stepped = blocks->weights();
    const std::vector<ConvolutionWeights> velocities = blocks->velocities();
    for (std::size_t l = 0; l < w.size(); ++l) {
      EXPECT_LE(relative_l2_error(stepped[l].kernel, w[l].kernel), 1e-6);
      EXPECT_LE(relative_l2_error(stepped[l].bias, w[l].bias), 1e-6);
      EXPECT_LE(relative_l2_error(velocities[l].kernel, v[l].kernel), 1e-6);
    }
  }
}

TEST_P(TrainableBlocksPath, GoesOnFromWhatItGaveAway) {
  const auto first = open();
  const std::vector<float> maps = made_up_maps(first_block(), input_size(), 41);
  const std::vector<float> gradient = made_up_gradient(first->forward(maps).size(), 42);
  first->backward(gradient);
  first->step({.learning_rate = 1e-2});
  const auto second = open();
  second->restore(first->weights(), first->velocities());
  for (TrainableBlocks* blocks : {first.get(), second.get()}) {
    static_cast<void>(blocks->forward(maps));
    blocks->backward(gradient);
    blocks->step({.learning_rate = 1e-2});
  }
  for (std::size_t l = 0; l < first->weights().size(); ++l)
    EXPECT_EQ(first->weights()[l].kernel, second->weights()[l].kernel);
  const std::span<const float> output = first->forward(maps);
  const std::vector<float> kept(output.begin(), output.end());
  const std::span<const float> again = second->forward(maps);
  EXPECT_EQ(kept, std::vector<float>(again.begin(), again.end()));
}

TEST_P(TrainableBlocksPath, FlushesDenormalNumbersAndLeavesItsThreadsAsTheyWere) {
  const auto blocks = open();
  if (blocks->description().find("CUDA") != std::string::npos) GTEST_SKIP() << blocks->description();
  const std::size_t size = blocks->forward(made_up_maps(first_block(), input_size(), 51)).size();
  blocks->backward(std::vector<float>(size, 1e-41F));  // denormal: nothing is left of it
  for (const ConvolutionWeights& layer : blocks->gradients()) {
    for (const float value : layer.bias) ASSERT_EQ(value, 0.0F);
  }
  volatile float tiny = 1e-30F;
  EXPECT_GT(tiny * 1e-10F, 0.0F) << "this thread flushes denormal numbers now";
}

TEST_P(TrainableBlocksPath, RefusesOtherShapes) {
  const auto blocks = open();
  EXPECT_THROW(static_cast<void>(blocks->forward(std::vector<float>(7))), std::invalid_argument);
  EXPECT_THROW(blocks->backward(std::vector<float>(7)), std::invalid_argument);
  std::vector<ConvolutionWeights> weights = blocks->weights();
  weights.back().bias.pop_back();
  EXPECT_THROW(blocks->restore(weights, blocks->velocities()), std::invalid_argument);
  weights.pop_back();
  EXPECT_THROW(blocks->restore(weights, blocks->velocities()), std::invalid_argument);
}

INSTANTIATE_TEST_SUITE_P(Paths, TrainableBlocksPath,
                         testing::Combine(testing::Values(Backprop::kNative, Backprop::kOnednn,
                                                          Backprop::kLibtorch),
                                          testing::Values(std::pair{5, 64}, std::pair{4, 32})),
                         [](const auto& param) {
                           return std::string(to_string(std::get<0>(param.param))) + "_from_block" +
                                  std::to_string(std::get<1>(param.param).first);
                         });

TEST(TrainableBlocks, RefusesOptionsThatMakeNoSense) {
  const auto open = [](BlocksOptions options) {
    static_cast<void>(open_trainable_blocks(embedded_weights(), Backprop::kNative, options));
  };
  EXPECT_THROW(open({.first_block = 1}), std::invalid_argument);
  EXPECT_THROW(open({.first_block = 6}), std::invalid_argument);
  EXPECT_THROW(open({.batch_size = 0}), std::invalid_argument);
  EXPECT_THROW(open({.input_size = 8}), std::invalid_argument);
}

TEST(TrainableBlocks, APathNamesALayerThatItCannotTrain) {
  NetworkWeights weights = embedded_weights();
  weights.network.layers[weights.network.layers.size() - 2].window = 5;  // block5_conv3
  for (const BackpropAvailability& path : list_backprops()) {
    if (!path.available) continue;
    try {
      static_cast<void>(open_trainable_blocks(weights, path.backprop, {}));
      FAIL() << "opened";
    } catch (const Error& error) {
      const std::string expected = "backprop " + std::string(to_string(path.backprop)) +
                                   " can't run a layer of this network: block5_conv3, a convolution of 5x5";
      EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
    }
  }
}

TEST(TrainableBlocks, APathThatIsMissingSaysWhatToDo) {
  for (const BackpropAvailability& path : list_backprops()) {
    if (path.available) continue;
    try {
      static_cast<void>(open_trainable_blocks(embedded_weights(), path.backprop, {}));
      FAIL() << "opened";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("--backprop"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace headstart::test
