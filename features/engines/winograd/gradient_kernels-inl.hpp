// features/engines/winograd/gradient_kernels-inl.hpp: the compute routines that only the backward pass needs.
// Included once per instruction set, by kernels.cpp.
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "features/engines/winograd/cook_toom.hpp"
#include "features/engines/winograd/kernels.hpp"
#include "features/engines/winograd/outer_product-inl.hpp"
#include "features/engines/winograd/tile_transform-inl.hpp"

#if defined(HEADSTART_FEATURES_WINOGRAD_GRADIENT_KERNELS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef HEADSTART_FEATURES_WINOGRAD_GRADIENT_KERNELS_INL_HPP
#undef HEADSTART_FEATURES_WINOGRAD_GRADIENT_KERNELS_INL_HPP
#else
#define HEADSTART_FEATURES_WINOGRAD_GRADIENT_KERNELS_INL_HPP
#endif

HWY_BEFORE_NAMESPACE();
namespace headstart::winograd {
namespace HWY_NAMESPACE {  // NOLINT(readability-identifier-naming): Highway names one namespace per target

template <std::size_t kOutputs>
void transform_gradient_run(const InputRun& run) {
  constexpr std::size_t kInputs = CookToom<kOutputs>::kInputs;
  const Floats d;
  for (std::size_t block = 0; block < run.blocks; ++block) {
    for (std::size_t lane = 0; lane < kBlock; lane += kLanes) {
      for (std::size_t tile = 0; tile < run.tiles; ++tile) {
        Vector columns[kInputs][kOutputs];  // A D: [row][column]
        for (std::size_t column = 0; column < kOutputs; ++column) {
          const std::size_t pixel = (tile * kOutputs + column) * kBlock + lane;
          Vector in[kOutputs];
          Vector transformed[kInputs];
#pragma GCC unroll 8
          for (std::size_t i = 0; i < kOutputs; ++i) {
            in[i] = hn::Load(d, run.rows[i] + static_cast<std::ptrdiff_t>(block) * run.block_step[i] + pixel);
          }
          transform_gradient<kOutputs>(in, transformed);
#pragma GCC unroll 8
          for (std::size_t i = 0; i < kInputs; ++i) columns[i][column] = transformed[i];
        }
        float* point = run.places[tile].transformed + block * run.places[tile].block_stride + lane;
        for (std::size_t i = 0; i < kInputs; ++i) {
          Vector transformed[kInputs];
          transform_gradient<kOutputs>(columns[i], transformed);
#pragma GCC unroll 8
          for (std::size_t j = 0; j < kInputs; ++j, point += run.point_stride) {
            hn::Store(transformed[j], d, point);
          }
        }
      }
    }
  }
}

/// So many tiles are summed from zero before their sum joins the others: the sums round less, as for
/// channels.
constexpr std::size_t kTilesASum = 64;

/// For kCount channels of the channel block.
template <std::size_t kCount>
void multiply_gradient_of(const GradientProduct& product, std::size_t channel) {
  const Floats d;
  const float* HWY_RESTRICT in = product.transformed + channel;
  const float* HWY_RESTRICT gradients = product.gradients;
  float* HWY_RESTRICT out = product.sums + channel * kOutputChannels;
  for (std::size_t first = 0; first < product.tiles; first += kTilesASum) {
    const std::size_t count = std::min(kTilesASum, product.tiles - first);
    Vector sums[kCount][kVectors];
#pragma GCC unroll 14
    for (std::size_t c = 0; c < kCount; ++c) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) sums[c][v] = hn::Zero(d);
    }
#pragma GCC unroll 4
    for (std::size_t tile = 0; tile < count; ++tile, in += kBlock, gradients += kBlock) {
      add_outer_product<kCount>(in, 1, gradients, product.gradients_block_stride, sums);
    }
#pragma GCC unroll 14
    for (std::size_t c = 0; c < kCount; ++c) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) {
        float* const to = out + c * kOutputChannels + v * kLanes;
        if (first > 0 || product.add) sums[c][v] = hn::Add(hn::Load(d, to), sums[c][v]);
        hn::Store(sums[c][v], d, to);
      }
    }
  }
}

using MultiplyGradient = void (*)(const GradientProduct&, std::size_t);
template <std::size_t... kCounts>
constexpr std::array<MultiplyGradient, sizeof...(kCounts)> multiply_gradient_by_count(
    std::index_sequence<kCounts...>) {
  return {multiply_gradient_of<kCounts + 1>...};
}
constexpr auto kMultiplyGradient = multiply_gradient_by_count(std::make_index_sequence<kTiles>());

void multiply_gradient(const GradientProduct& product) {
  const TileParts parts(kBlock, kTiles);  // of channels: here they take the place of the tiles
  for (std::size_t part = 0; part < parts.parts; ++part) {
    const std::size_t first = parts.first(part);
    kMultiplyGradient[parts.first(part + 1) - first - 1](product, first);
  }
}

void gate_row(const GateRow& row) {
  const Floats d;
  for (std::size_t lane = 0; lane < kBlock; lane += kLanes) {
    Vector sum = hn::Zero(d);
    for (std::size_t at = lane; at < row.columns * kBlock; at += kBlock) {
      const auto open = hn::Gt(hn::Load(d, row.outputs + at), hn::Zero(d));
      const Vector gradient = hn::IfThenElseZero(open, hn::Load(d, row.gradients + at));
      hn::Store(gradient, d, row.gradients + at);
      sum = hn::Add(sum, gradient);
    }
    hn::Store(sum, d, row.sums + lane);
  }
}

void unpool_row(const UnpoolRow& row) {
  const Floats d;
  for (std::size_t lane = 0; lane < kBlock; lane += kLanes) {
    Vector sum = hn::Zero(d);
    for (std::size_t x = 0; x < row.columns; ++x) {
      const std::size_t at = 2 * x * kBlock + lane;
      const Vector values[4] = {hn::Load(d, row.outputs[0] + at), hn::Load(d, row.outputs[0] + at + kBlock),
                                hn::Load(d, row.outputs[1] + at), hn::Load(d, row.outputs[1] + at + kBlock)};
      const Vector largest = hn::Max(hn::Max(values[0], values[1]), hn::Max(values[2], values[3]));
      const auto open = hn::Gt(largest, hn::Zero(d));
      Vector left = hn::IfThenElseZero(open, hn::Load(d, row.pooled + x * kBlock + lane));
      sum = hn::Add(sum, left);
      // Of equal values the first takes the whole gradient.
#pragma GCC unroll 4
      for (std::size_t i = 0; i < 4; ++i) {
        const auto chosen = hn::Eq(values[i], largest);
        hn::Store(hn::IfThenElseZero(chosen, left), d, row.gradients[i / 2] + at + i % 2 * kBlock);
        left = hn::IfThenZeroElse(chosen, left);
      }
    }
    hn::Store(sum, d, row.sums + lane);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace headstart::winograd
HWY_AFTER_NAMESPACE();

#endif
