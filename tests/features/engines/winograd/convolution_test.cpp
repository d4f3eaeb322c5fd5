// tests/features/engines/winograd/convolution_test.cpp: every instruction set that runs here, every method,
// maps of any size, against sums in double. All memory that a convolution may not read holds NaN beforehand.
#include "features/engines/winograd/convolution.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "features/engines/winograd/image_convolution.hpp"
#include "features/engines/winograd/map_copy.hpp"
#include "tests/features/engines/winograd/noise.hpp"

namespace headstart::winograd {
namespace {

struct Case {
  int images = 1;
  int size = 14;
  int in = 16;
  int out = 64;
  bool pool = false;
};

/// Convolution, ReLU and pool of [images, size, size, in], in double.
std::vector<double> reference(const Case& shape, const ConvolutionWeights& weights,
                              const std::vector<float>& maps) {
  const auto at = [&](int image, int y, int x) {
    return (static_cast<std::size_t>(image) * static_cast<std::size_t>(shape.size) +
            static_cast<std::size_t>(y)) *
               static_cast<std::size_t>(shape.size) +
           static_cast<std::size_t>(x);
  };
  const auto in = static_cast<std::size_t>(shape.in);
  const auto out = static_cast<std::size_t>(shape.out);
  std::vector<double> sums(static_cast<std::size_t>(shape.images * shape.size * shape.size) * out);
  for (int image = 0; image < shape.images; ++image) {
    for (int y = 0; y < shape.size; ++y) {
      for (int x = 0; x < shape.size; ++x) {
        double* const sum = sums.data() + at(image, y, x) * out;
        for (std::size_t k = 0; k < out; ++k) sum[k] = static_cast<double>(weights.bias[k]);
        for (int tap = 0; tap < 9; ++tap) {
          const int row = y + tap / 3 - 1;
          const int column = x + tap % 3 - 1;
          if (row < 0 || row >= shape.size || column < 0 || column >= shape.size) continue;
          for (std::size_t c = 0; c < in; ++c) {
            const auto value = static_cast<double>(maps[at(image, row, column) * in + c]);
            const float* const kernel =
                weights.kernel.data() + (static_cast<std::size_t>(tap) * in + c) * out;
            for (std::size_t k = 0; k < out; ++k) sum[k] += value * static_cast<double>(kernel[k]);
          }
        }
        for (std::size_t k = 0; k < out; ++k) sum[k] = std::max(sum[k], 0.0);
      }
    }
  }
  if (!shape.pool) return sums;
  std::vector<double> pooled;
  for (int image = 0; image < shape.images; ++image) {
    for (int y = 0; y < shape.size / 2; ++y) {
      for (int x = 0; x < shape.size / 2; ++x) {
        for (std::size_t k = 0; k < out; ++k) {
          pooled.push_back(
              std::max({sums[at(image, 2 * y, 2 * x) * out + k], sums[at(image, 2 * y, 2 * x + 1) * out + k],
                        sums[at(image, 2 * y + 1, 2 * x) * out + k],
                        sums[at(image, 2 * y + 1, 2 * x + 1) * out + k]}));
        }
      }
    }
  }
  return pooled;
}

/// [images, size, size, in] to the same of the output, by way of blocks. The destination is read by F(6,3).
std::vector<float> convolve(const Kernels& kernels, const Case& shape, const Method& method, int threads,
                            const ConvolutionWeights& weights, const std::vector<float>& maps) {
  const int side = shape.pool ? shape.size / 2 : shape.size;
  const auto images = static_cast<std::size_t>(shape.images);
  const ActivationMap source = ActivationMap::before({shape.size, shape.size, shape.in}, method.outputs);
  const ActivationMap destination = ActivationMap::before({side, side, shape.out}, 6);
  Workspace workspace(threads);
  Convolution convolution(kernels, method, shape.images, source, destination,
                          shape.pool ? Ending::kReluAndPool : Ending::kRelu);
  workspace.reserve(convolution.workspace());
  fill_with_nan({workspace.shared(), convolution.workspace().shared});
  AlignedFloats from(images * source.image_stride());
  AlignedFloats to(images * destination.image_stride());
  fill_with_nan(from.span());
  fill_with_nan(to.span());
  std::vector<float> result(images * destination.shape.size());
  workspace.execute([&] {
    convolution.set_weights(weights.kernel, weights.bias, workspace);
    read_channels_last(maps.data(), images, source, from.span().data(), workspace);
    convolution.run(from.span().data(), to.span().data(), workspace);
    write_channels_last(to.span().data(), images, destination, result.data(), workspace);
  });
  // What the next convolution reads beside the map is zero.
  for (std::size_t row = 0; row < images * destination.blocks() * static_cast<std::size_t>(side); ++row) {
    const float* const first = to.span().data() + row * destination.row_stride();
    const auto is_zero = [](float value) { return value == 0.0F; };
    EXPECT_TRUE(std::all_of(first, first + kBlock, is_zero)) << "row " << row;
    EXPECT_TRUE(std::all_of(first + static_cast<std::size_t>(side + 1) * kBlock,
                            first + destination.row_stride(), is_zero))
        << "row " << row;
  }
  return result;
}

std::vector<float> maps_of(const Case& shape) {
  return noise(static_cast<std::size_t>(shape.images * shape.size * shape.size * shape.in), 3, 0.0F);
}

std::vector<Method> all_methods(bool pool) {
  std::vector<Method> methods;
  for (const int outputs : {4, 5, 6}) {
    if (pool && outputs == 5) continue;
    methods.push_back({.outputs = outputs, .fused = true, .tiles = 5});
    methods.push_back({.outputs = outputs, .fused = false, .images = 2});
  }
  return methods;
}

std::string name_of(const Kernels& kernels, const Case& shape, const Method& method) {
  return std::string(kernels.target) + " F(" + std::to_string(method.outputs) + ",3) " +
         (method.fused ? "fused" : "phases") + " size " + std::to_string(shape.size) +
         (shape.pool ? " pooled" : "");
}

TEST(Convolution, IsTheSumOfProductsOnEveryInstructionSetByEveryMethod) {
  for (const bool pool : {false, true}) {
    const Case shape{.images = 3, .size = 14, .in = 32, .out = 64, .pool = pool};
    const ConvolutionWeights weights = made_up_weights(shape.in, shape.out);
    const std::vector<float> maps = maps_of(shape);
    const std::vector<double> expected = reference(shape, weights, maps);
    for (const Kernels& kernels : all_kernels()) {
      for (const Method& method : all_methods(pool)) {
        EXPECT_LE(relative_error(convolve(kernels, shape, method, 2, weights, maps), expected), 4e-6)
            << name_of(kernels, shape, method);
      }
    }
  }
}

RC_GTEST_PROP(Convolution, HoldsForMapsOfAnySize, ()) {
  const std::vector<Kernels> all = all_kernels();
  const Kernels kernels = *rc::gen::elementOf(all);
  const Case shape{.images = *rc::gen::inRange(1, 4),
                   .size = *rc::gen::inRange(2, 28),
                   .in = 16 * *rc::gen::inRange(1, 4),
                   .out = 64,
                   .pool = *rc::gen::arbitrary<bool>()};
  Method method = *rc::gen::elementOf(all_methods(shape.pool));
  method.tiles = static_cast<std::size_t>(*rc::gen::inRange(1, 40));
  method.images = static_cast<std::size_t>(*rc::gen::inRange(1, 4));
  const ConvolutionWeights weights = made_up_weights(shape.in, shape.out);
  const std::vector<float> maps = maps_of(shape);
  const double error =
      relative_error(convolve(kernels, shape, method, *rc::gen::inRange(1, 5), weights, maps),
                     reference(shape, weights, maps));
  RC_LOG() << name_of(kernels, shape, method) << ", error " << error;
  RC_ASSERT(error <= 6e-6);
}

TEST(Convolution, BitsDependOnNothingButTheTileSize) {
  const Case shape{.images = 3, .size = 20, .in = 48, .out = 128};
  const ConvolutionWeights weights = made_up_weights(shape.in, shape.out);
  const std::vector<float> maps = maps_of(shape);
  for (const int outputs : {4, 5, 6}) {
    const auto with = [&](const Kernels& kernels, Method method, int threads) {
      method.outputs = outputs;
      return convolve(kernels, shape, method, threads, weights, maps);
    };
    const std::vector<float> expected = with(best_kernels(), {.tiles = 7}, 1);
    EXPECT_EQ(with(best_kernels(), {.tiles = 7}, 3), expected) << outputs;
    EXPECT_EQ(with(best_kernels(), {.tiles = 1}, 2), expected) << outputs;
    EXPECT_EQ(with(best_kernels(), {.tiles = 100}, 2), expected) << outputs;
    EXPECT_EQ(with(best_kernels(), {.fused = false, .images = 1}, 2), expected) << outputs;
    EXPECT_EQ(with(best_kernels(), {.fused = false, .images = 3}, 1), expected) << outputs;
    for (const Kernels& kernels : all_kernels()) {
      if (!kernels.is_fused) continue;
      EXPECT_EQ(with(kernels, {.tiles = 7}, 2), expected) << kernels.target << ' ' << outputs;
    }
  }
}

TEST(Kernels, OfX86AreFusedWhereTheyAreAvx) {
  for (const Kernels& kernels : all_kernels()) {
    if (kernels.target.starts_with("SSE")) {
      EXPECT_FALSE(kernels.is_fused) << kernels.target;
    }
    if (kernels.target.starts_with("AVX")) {
      EXPECT_TRUE(kernels.is_fused) << kernels.target;
    }
  }
}

TEST(Convolution, ImagesDoNotTouchOneAnother) {
  Case shape{.images = 3, .size = 9, .in = 16, .out = 64};
  const ConvolutionWeights weights = made_up_weights(shape.in, shape.out);
  std::vector<float> maps = maps_of(shape);
  const std::size_t size = maps.size() / 3;
  for (const Method& method : all_methods(false)) {
    const std::vector<float> together = convolve(best_kernels(), shape, method, 2, weights, maps);
    const std::vector<float> middle(together.begin() + static_cast<std::ptrdiff_t>(together.size() / 3),
                                    together.begin() + static_cast<std::ptrdiff_t>(together.size() / 3 * 2));
    const std::vector<float> one(maps.begin() + static_cast<std::ptrdiff_t>(size),
                                 maps.begin() + static_cast<std::ptrdiff_t>(2 * size));
    Case alone = shape;
    alone.images = 1;
    EXPECT_EQ(convolve(best_kernels(), alone, method, 2, weights, one), middle);
  }
}

/// block1_conv1 and block1_conv2 as the network has them, by sums in double.
TEST(ImageConvolution, IsBothConvolutionsOneAfterTheOther) {
  for (const int size : {2, 7, 32, 45}) {
    const Case first{.images = 2, .size = size, .in = 3, .out = 64};
    Case second{.images = 2, .size = size, .in = 64, .out = 64};
    const ConvolutionWeights first_weights = made_up_weights(3, 64);
    const ConvolutionWeights second_weights = made_up_weights(64, 64);
    const std::vector<float> batch = noise(static_cast<std::size_t>(2 * size * size * 3), 5, -1.0F);
    const std::vector<double> between = reference(first, first_weights, batch);
    for (const bool pool : {false, true}) {
      second.pool = pool;
      const std::vector<double> expected =
          reference(second, second_weights, std::vector<float>(between.begin(), between.end()));
      for (const Kernels& kernels : all_kernels()) {
        for (const int outputs : {4, 6}) {
          const Method method{.outputs = outputs, .tiles = 3};
          const int side = pool ? size / 2 : size;
          const ActivationMap source = ActivationMap::before({size, size, 64}, outputs);
          const ActivationMap destination = ActivationMap::before({side, side, 64}, 6);
          Workspace workspace(2);
          Convolution next(kernels, method, 2, source, destination,
                           pool ? Ending::kReluAndPool : Ending::kRelu);
          workspace.execute([&] { next.set_weights(second_weights.kernel, second_weights.bias, workspace); });
          const ImageConvolution both(kernels, first_weights, 2, size, std::move(next), source);
          workspace.reserve(both.workspace());
          AlignedFloats to(2 * destination.image_stride());
          fill_with_nan(to.span());
          std::vector<float> result(2 * destination.shape.size());
          workspace.execute([&] {
            both.run(batch.data(), to.span().data(), workspace);
            write_channels_last(to.span().data(), 2, destination, result.data(), workspace);
          });
          EXPECT_LE(relative_error(result, expected), 4e-6) << name_of(kernels, second, method);
        }
      }
    }
  }
}

TEST(MaxPool, TakesTheLargestOfFourAndLeavesAnOddRowOut) {
  for (const int size : {2, 5, 14}) {
    const MapShape shape{size, size, 32};
    const auto side = static_cast<std::size_t>(size / 2);
    const std::vector<float> maps = noise(2 * shape.size(), 4, -1.0F);
    const ActivationMap source = ActivationMap::plain(shape);
    const ActivationMap pooled = ActivationMap::before({size / 2, size / 2, 32}, 4);
    for (const Kernels& kernels : all_kernels()) {
      Workspace workspace(2);
      AlignedFloats from(2 * source.image_stride());
      AlignedFloats to(2 * pooled.image_stride());
      fill_with_nan(to.span());
      std::vector<float> result(2 * pooled.shape.size());
      workspace.execute([&] {
        read_channels_last(maps.data(), 2, source, from.span().data(), workspace);
        max_pool(kernels, from.span().data(), 2, source, pooled, to.span().data(), workspace);
        write_channels_last(to.span().data(), 2, pooled, result.data(), workspace);
      });
      const auto width = static_cast<std::size_t>(size);
      for (std::size_t i = 0; i < result.size(); ++i) {
        const std::size_t pixel = i / 32;
        const std::size_t image = pixel / (side * side);
        const std::size_t y = pixel / side % side * 2;
        const std::size_t x = pixel % side * 2;
        float expected = -2.0F;
        for (std::size_t corner = 0; corner < 4; ++corner) {
          expected = std::max(
              expected, maps[((image * width + y + corner / 2) * width + x + corner % 2) * 32 + i % 32]);
        }
        ASSERT_EQ(result[i], expected) << kernels.target << " size " << size << " at " << i;
      }
    }
  }
}

TEST(Method, TakesTheTilesThatNeedTheFewestProducts) {
  EXPECT_EQ(choose_method(64, 64, 224, {}).outputs, 6);
  EXPECT_EQ(choose_method(512, 512, 28, {}).outputs, 6);
  EXPECT_EQ(choose_method(512, 512, 14, {}).outputs, 5);
  EXPECT_EQ(choose_method(512, 512, 4, {}).outputs, 4);
}

TEST(Method, DependsOnTheMachineInHowManyTilesItTakesAtATimeOnly) {
  for (const std::size_t tiles : {1U, 2U, 6U, 14U}) {
    const Method in_cache = choose_method(256, 256, 56, {.tiles_in_registers = tiles, .l2_bytes = 2U << 20U});
    const Method beyond = choose_method(256, 256, 56, {.tiles_in_registers = tiles, .l2_bytes = 1U << 18U});
    for (const Method& method : {in_cache, beyond}) {
      EXPECT_EQ(method.tiles % tiles, 0U);
      EXPECT_EQ(method.outputs, 6);
      EXPECT_TRUE(method.fused);
    }
    EXPECT_GT(beyond.tiles, in_cache.tiles);
  }
}

}  // namespace
}  // namespace headstart::winograd
