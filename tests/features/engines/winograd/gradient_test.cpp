// tests/features/engines/winograd/gradient_test.cpp: the way back on every instruction set that runs here,
// for maps of any size, against sums in double. All memory that nothing may read holds NaN beforehand.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "features/engines/winograd/convolution.hpp"
#include "features/engines/winograd/map_copy.hpp"
#include "features/engines/winograd/relu_gradient.hpp"
#include "features/engines/winograd/weight_gradient.hpp"
#include "memory/aligned_floats.hpp"
#include "tests/features/engines/winograd/noise.hpp"

namespace headstart::winograd {
namespace {

using Doubles = std::vector<double>;

template <std::size_t kOutputs>
std::vector<std::array<double, 3>> kernel_matrix_of() {
  const auto& matrix = CookToom<kOutputs>::kKernel;
  return {matrix.begin(), matrix.end()};
}

/// G of F(outputs,3).
std::vector<std::array<double, 3>> kernel_matrix(int outputs) {
  if (outputs == 4) return kernel_matrix_of<4>();
  return outputs == 5 ? kernel_matrix_of<5>() : kernel_matrix_of<6>();
}

TEST(WeightTransform, IsGgGInDoubleRoundedOnceOnEveryInstructionSet) {
  constexpr std::size_t kChannels = 3;
  for (const Kernels& kernels : all_kernels()) {
    for (const int outputs : {4, 5, 6}) {
      const auto g = kernel_matrix(outputs);
      const std::size_t stride = kChannels * kernels.outputs;
      const std::vector<float> kernel = noise(9 * stride, 1, -1.0F);
      AlignedFloats transformed(g.size() * g.size() * stride);
      kernels.transform_weights[outputs]({.kernel = kernel.data(),
                                          .tap_stride = stride,
                                          .channel_stride = kernels.outputs,
                                          .channels = kChannels,
                                          .transformed = transformed.span().data(),
                                          .point_stride = stride});
      for (std::size_t at = 0; at < stride; ++at) {
        for (std::size_t i = 0; i < g.size(); ++i) {
          for (std::size_t j = 0; j < g.size(); ++j) {
            double sum = 0.0;
            double size = 0.0;
            for (std::size_t tap = 0; tap < 9; ++tap) {
              const double term =
                  g[i][tap / 3] * g[j][tap % 3] * static_cast<double>(kernel[tap * stride + at]);
              sum += term;
              size += std::abs(term);
            }
            const float found = transformed.span()[(i * g.size() + j) * stride + at];
            // Half a unit in the last place, and what double leaves where terms cancel.
            ASSERT_NEAR(static_cast<double>(found), sum, 0x1p-24 * std::abs(sum) + 1e-14 * size)
                << kernels.target << " F(" << outputs << ",3)";
          }
        }
      }
    }
  }
}

TEST(WeightTransform, ItsAdjointIsItsTransposeOnEveryInstructionSet) {
  constexpr std::size_t kChannels = 3;
  for (const Kernels& kernels : all_kernels()) {
    for (const int outputs : {4, 5, 6}) {
      const auto g = kernel_matrix(outputs);
      const std::size_t stride = kChannels * kernels.outputs;
      const std::vector<float> transformed = noise(g.size() * g.size() * stride, 1, -1.0F);
      std::vector<float> kernel(9 * stride);
      kernels.transform_weight_gradients[outputs]({.transformed = transformed.data(),
                                                   .point_stride = stride,
                                                   .channels = kChannels,
                                                   .kernel = kernel.data(),
                                                   .tap_stride = stride,
                                                   .channel_stride = kernels.outputs});
      for (std::size_t at = 0; at < stride; ++at) {
        for (std::size_t tap = 0; tap < 9; ++tap) {
          double sum = 0.0;
          double size = 0.0;
          for (std::size_t point = 0; point < g.size() * g.size(); ++point) {
            const double term = g[point / g.size()][tap / 3] * g[point % g.size()][tap % 3] *
                                static_cast<double>(transformed[point * stride + at]);
            sum += term;
            size += std::abs(term);
          }
          ASSERT_NEAR(static_cast<double>(kernel[tap * stride + at]), sum,
                      0x1p-24 * std::abs(sum) + 1e-14 * size)
              << kernels.target << " F(" << outputs << ",3)";
        }
      }
    }
  }
}

struct GradientCase {
  int images = 1;
  int size = 14;
  int in = 16;
  int out = 64;

  [[nodiscard]] std::size_t pixels() const { return static_cast<std::size_t>(images * size * size); }
  [[nodiscard]] std::vector<float> inputs() const {
    return noise(pixels() * static_cast<std::size_t>(in), 3, 0.0F);
  }
  [[nodiscard]] std::vector<float> gradients() const {
    return noise(pixels() * static_cast<std::size_t>(out), 4, -1.0F);
  }
};

/// Calls visit(position of the output, position of the input, tap), positions being pixels of the batch.
template <typename Visit>
void for_each_tap(const GradientCase& shape, const Visit& visit) {
  for (int pixel = 0; pixel < shape.images * shape.size * shape.size; ++pixel) {
    const int y = pixel / shape.size % shape.size;
    const int x = pixel % shape.size;
    for (int tap = 0; tap < 9; ++tap) {
      const int row = y + tap / 3 - 1;
      const int column = x + tap % 3 - 1;
      if (row < 0 || row >= shape.size || column < 0 || column >= shape.size) continue;
      visit(static_cast<std::size_t>(pixel),
            static_cast<std::size_t>(pixel + (row - y) * shape.size + column - x),
            static_cast<std::size_t>(tap));
    }
  }
}

Doubles weight_gradient_in_double(const GradientCase& shape) {
  const std::vector<float> inputs = shape.inputs();
  const std::vector<float> gradients = shape.gradients();
  const auto in = static_cast<std::size_t>(shape.in);
  const auto out = static_cast<std::size_t>(shape.out);
  Doubles kernel(9 * in * out);
  for_each_tap(shape, [&](std::size_t to, std::size_t from, std::size_t tap) {
    for (std::size_t c = 0; c < in; ++c) {
      const auto input = static_cast<double>(inputs[from * in + c]);
      for (std::size_t k = 0; k < out; ++k) {
        kernel[(tap * in + c) * out + k] += input * static_cast<double>(gradients[to * out + k]);
      }
    }
  });
  return kernel;
}

std::vector<float> weight_gradient(const Kernels& kernels, const GradientCase& shape, int outputs,
                                   std::size_t images_at_once, int threads) {
  const auto images = static_cast<std::size_t>(shape.images);
  const ActivationMap source = ActivationMap::before({shape.size, shape.size, shape.in}, outputs);
  const ActivationMap gradient = ActivationMap::before({shape.size, shape.size, shape.out}, outputs);
  Workspace workspace(threads);
  const WeightGradient to_weights(kernels, {.outputs = outputs, .images = images_at_once}, shape.images,
                                  source, gradient);
  workspace.reserve(to_weights.workspace());
  fill_with_nan({workspace.shared(), to_weights.workspace().shared});
  AlignedFloats from(images * source.image_stride());
  AlignedFloats back(images * gradient.image_stride());
  fill_with_nan(from.span());
  fill_with_nan(back.span());
  std::vector<float> kernel(static_cast<std::size_t>(9 * shape.in * shape.out));
  fill_with_nan(kernel);
  workspace.execute([&] {
    read_channels_last(shape.inputs().data(), images, source, from.span().data(), workspace);
    read_channels_last(shape.gradients().data(), images, gradient, back.span().data(), workspace);
    to_weights.run(from.span().data(), back.span().data(), kernel, workspace);
  });
  return kernel;
}

TEST(WeightGradient, IsTheSumOfProductsOnEveryInstructionSet) {
  const GradientCase shape{.images = 3, .size = 14, .in = 32, .out = 64};
  const Doubles expected = weight_gradient_in_double(shape);
  for (const Kernels& kernels : all_kernels()) {
    for (const int outputs : {4, 5, 6}) {
      EXPECT_LE(relative_error(weight_gradient(kernels, shape, outputs, 2, 2), expected), 4e-6)
          << kernels.target << " F(" << outputs << ",3)";
    }
  }
}

RC_GTEST_PROP(WeightGradient, HoldsForMapsOfAnySize, ()) {
  const std::vector<Kernels> all = all_kernels();
  const Kernels kernels = *rc::gen::elementOf(all);
  const GradientCase shape{.images = *rc::gen::inRange(1, 4),
                           .size = *rc::gen::inRange(2, 28),
                           .in = 16 * *rc::gen::inRange(1, 6),
                           .out = 64};
  const int outputs = *rc::gen::inRange(4, 7);
  const auto images_at_once = static_cast<std::size_t>(*rc::gen::inRange(1, 5));
  const double error =
      relative_error(weight_gradient(kernels, shape, outputs, images_at_once, *rc::gen::inRange(1, 5)),
                     weight_gradient_in_double(shape));
  RC_LOG() << kernels.target << " F(" << outputs << ",3) size " << shape.size << ", error " << error;
  RC_ASSERT(error <= 6e-6);
}

TEST(WeightGradient, BitsDependNeitherOnThreadsNorOnTheInstructionSet) {
  const GradientCase shape{.images = 5, .size = 20, .in = 48, .out = 128};
  for (const int outputs : {4, 5, 6}) {
    const std::vector<float> expected = weight_gradient(best_kernels(), shape, outputs, 3, 1);
    EXPECT_EQ(weight_gradient(best_kernels(), shape, outputs, 3, 2), expected) << outputs;
    EXPECT_EQ(weight_gradient(best_kernels(), shape, outputs, 3, 3), expected) << outputs;
    for (const Kernels& kernels : all_kernels()) {
      if (!kernels.is_fused) continue;
      EXPECT_EQ(weight_gradient(kernels, shape, outputs, 3, 2), expected) << kernels.target << ' ' << outputs;
    }
  }
}

TEST(WayBack, IsTheSumOfProductsOnEveryInstructionSetByEveryMethod) {
  // From 64 channels to 128: the convolution itself went the other way.
  const GradientCase shape{.images = 2, .size = 13, .in = 128, .out = 64};
  const ConvolutionWeights weights = made_up_weights(shape.in, shape.out);
  const std::vector<float> gradients = shape.gradients();
  const auto in = static_cast<std::size_t>(shape.in);
  const auto out = static_cast<std::size_t>(shape.out);
  Doubles expected(shape.pixels() * in);
  for_each_tap(shape, [&](std::size_t to, std::size_t from, std::size_t tap) {
    for (std::size_t c = 0; c < in; ++c) {
      for (std::size_t k = 0; k < out; ++k) {
        expected[from * in + c] += static_cast<double>(weights.kernel[(tap * in + c) * out + k]) *
                                   static_cast<double>(gradients[to * out + k]);
      }
    }
  });
  for (const Kernels& kernels : all_kernels()) {
    for (const int outputs : {4, 5, 6}) {
      for (const bool fused : {true, false}) {
        const ActivationMap source = ActivationMap::before({shape.size, shape.size, shape.out}, outputs);
        const ActivationMap destination = ActivationMap::before({shape.size, shape.size, shape.in}, outputs);
        Workspace workspace(2);
        Convolution back(kernels, {.outputs = outputs, .fused = fused, .tiles = 5, .images = 1}, shape.images,
                         source, destination, Ending::kNone);
        workspace.reserve(back.workspace());
        AlignedFloats from(2 * source.image_stride());
        AlignedFloats to(2 * destination.image_stride());
        std::vector<float> found(expected.size());
        workspace.execute([&] {
          back.set_weights_of_way_back(weights.kernel, workspace);
          read_channels_last(gradients.data(), 2, source, from.span().data(), workspace);
          back.run(from.span().data(), to.span().data(), workspace);
          write_channels_last(to.span().data(), 2, destination, found.data(), workspace);
        });
        EXPECT_LE(relative_error(found, expected), 4e-6)
            << kernels.target << " F(" << outputs << ",3) " << (fused ? "fused" : "phases");
      }
    }
  }
}

/// Outputs of which half are zero and many are equal.
std::vector<float> outputs_with_ties(std::size_t count) {
  std::vector<float> outputs = noise(count, 5, -1.0F);
  for (float& value : outputs) value = std::max(0.0F, std::round(3.0F * value));
  return outputs;
}

void expect_sums(const std::vector<float>& bias, const std::vector<float>& values) {
  for (std::size_t c = 0; c < bias.size(); ++c) {
    double sum = 0.0;
    double size = 0.0;
    for (std::size_t i = c; i < values.size(); i += bias.size()) {
      sum += static_cast<double>(values[i]);
      size += std::abs(static_cast<double>(values[i]));
    }
    EXPECT_NEAR(static_cast<double>(bias[c]), sum, 1e-6 * size) << "channel " << c;
  }
}

TEST(Gate, LetsThroughWhereTheOutputIsPositiveAndSumsIt) {
  for (const int size : {2, 7, 14}) {
    const ActivationMap map = ActivationMap::before({size, size, 32}, 5);
    const ActivationMap output_map = ActivationMap::plain(map.shape);
    const std::vector<float> outputs = outputs_with_ties(2 * map.shape.size());
    const std::vector<float> gradients = noise(outputs.size(), 6, -1.0F);
    std::vector<float> expected = gradients;
    for (std::size_t i = 0; i < outputs.size(); ++i) expected[i] = outputs[i] > 0.0F ? expected[i] : 0.0F;
    for (const Kernels& kernels : all_kernels()) {
      Workspace workspace(2);
      AlignedFloats y(2 * output_map.image_stride());
      AlignedFloats g(2 * map.image_stride());
      Doubles sums(2 * 32);
      std::vector<float> bias(32);
      std::vector<float> found(expected.size());
      workspace.execute([&] {
        read_channels_last(outputs.data(), 2, output_map, y.span().data(), workspace);
        read_channels_last(gradients.data(), 2, map, g.span().data(), workspace);
        gate(kernels, y.span().data(), output_map, g.span().data(), map, sums, bias, workspace);
        write_channels_last(g.span().data(), 2, map, found.data(), workspace);
      });
      EXPECT_EQ(found, expected) << kernels.target << " size " << size;
      expect_sums(bias, expected);
    }
  }
}

TEST(Unpool, GivesTheFirstOfTheLargestAllAndLeavesAnOddRowNothing) {
  for (const int size : {2, 5, 14}) {
    const ActivationMap map = ActivationMap::before({size, size, 32}, 5);
    const ActivationMap output_map = ActivationMap::plain(map.shape);
    const ActivationMap pooled_map = ActivationMap::plain({size / 2, size / 2, 32});
    const std::vector<float> outputs = outputs_with_ties(2 * map.shape.size());
    const std::vector<float> pooled = noise(2 * pooled_map.shape.size(), 6, -1.0F);
    std::vector<float> expected(outputs.size());
    const auto width = static_cast<std::size_t>(size);
    const std::size_t half = width / 2;
    for (std::size_t i = 0; i < pooled.size(); ++i) {
      const std::size_t pixel = i / 32;
      const std::size_t first =
          ((pixel / (half * half) * width + pixel / half % half * 2) * width + pixel % half * 2) * 32 +
          i % 32;
      std::size_t best = first;
      for (std::size_t corner = 1; corner < 4; ++corner) {
        const std::size_t at = first + (corner / 2 * width + corner % 2) * 32;
        if (outputs[at] > outputs[best]) best = at;
      }
      if (outputs[best] > 0.0F) expected[best] = pooled[i];
    }
    for (const Kernels& kernels : all_kernels()) {
      Workspace workspace(2);
      AlignedFloats y(2 * output_map.image_stride());
      AlignedFloats p(2 * pooled_map.image_stride());
      AlignedFloats g(2 * map.image_stride());
      fill_with_nan(g.span());
      Doubles sums(2 * 32);
      std::vector<float> bias(32);
      std::vector<float> found(expected.size());
      workspace.execute([&] {
        read_channels_last(outputs.data(), 2, output_map, y.span().data(), workspace);
        read_channels_last(pooled.data(), 2, pooled_map, p.span().data(), workspace);
        unpool_and_gate(kernels, y.span().data(), output_map, p.span().data(), pooled_map, g.span().data(),
                        map, sums, bias, workspace);
        write_channels_last(g.span().data(), 2, map, found.data(), workspace);
      });
      EXPECT_EQ(found, expected) << kernels.target << " size " << size;
      expect_sums(bias, expected);
      for (const float value : g.span()) ASSERT_FALSE(std::isnan(value)) << "the zeros around a row";
    }
  }
}

}  // namespace
}  // namespace headstart::winograd
