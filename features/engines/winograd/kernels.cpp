// features/engines/winograd/kernels.cpp: see kernels.hpp. Compiled once per instruction set by Highway's
// foreach_target, which includes this file again.
#include "features/engines/winograd/kernels.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

// CPUs with no more than SSSE3 use the routines for a lower target: SSE2's if Highway has them (from 1.1 on),
// else plain ones. Vectors of unknown length can't be kept in arrays.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "features/engines/winograd/kernels.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>  // before highway.h
#include <hwy/highway.h>

#include "features/engines/winograd/gradient_kernels-inl.hpp"
#include "features/engines/winograd/outer_product-inl.hpp"
#include "features/engines/winograd/tile_transform-inl.hpp"
#include "features/engines/winograd/weight_transform-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace headstart::winograd {
namespace HWY_NAMESPACE {  // NOLINT(readability-identifier-naming): Highway names one namespace per target

/// Channel blocks whose products are summed from zero before their sum joins the others. Rounding grows with
/// the root of the longest sum, and F(6,3) multiplies this rounding.
constexpr std::size_t kBlocksASum = 4;

// How far ahead data are prefetched. Data from L3 or memory take long, and the CPU doesn't foresee the next
// page, run or product. Prefetching behind an array's end does no harm.
constexpr std::size_t kWeightsAhead = 64 * kOutputChannels;
constexpr std::size_t kBlocksAhead = 2;
constexpr std::size_t kPixelsAhead = 8;

/// kCount tiles at one point.
template <std::size_t kCount>
void multiply_tiles(const Product& product, const float* HWY_RESTRICT in, const float* HWY_RESTRICT weights,
                    float* HWY_RESTRICT out) {
  const Floats d;
  for (std::size_t first = 0; first < product.blocks; first += kBlocksASum) {
    const std::size_t blocks = std::min(kBlocksASum, product.blocks - first);
    Vector sums[kCount][kVectors];
#pragma GCC unroll 14
    for (std::size_t t = 0; t < kCount; ++t) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) sums[t][v] = hn::Zero(d);
    }
    for (std::size_t block = 0; block < blocks; ++block, in += kCount * kBlock) {
#pragma GCC unroll 4
      for (std::size_t c = 0; c < kBlock; ++c, weights += kOutputChannels) {
        for (std::size_t k = 0; k < kOutputChannels; k += kBlock) {
          hwy::Prefetch(weights + kWeightsAhead + k);
        }
        if (c < kCount) hwy::Prefetch(in + (kBlocksAhead * kCount + c) * kBlock);
        add_outer_product<kCount>(in + c, kBlock, weights, kBlock, sums);
      }
    }
#pragma GCC unroll 14
    for (std::size_t t = 0; t < kCount; ++t) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) {
        float* const to = out + t * kOutputChannels + v * kLanes;
        if (first > 0) sums[t][v] = hn::Add(sums[t][v], hn::Load(d, to));
        hn::Store(sums[t][v], d, to);
      }
    }
  }
}

using MultiplyTiles = void (*)(const Product&, const float*, const float*, float*);
template <std::size_t... kCounts>
constexpr std::array<MultiplyTiles, kTiles> multiply_by_count(std::index_sequence<kCounts...>) {
  return {multiply_tiles<kCounts + 1>...};
}
constexpr std::array<MultiplyTiles, kTiles> kMultiply = multiply_by_count(std::make_index_sequence<kTiles>());

void multiply(const Product& product) {
  const TileParts parts(product.tiles, kTiles);
  for (std::size_t point = 0; point < product.points; ++point) {
    const float* const in = product.transformed + point * product.transformed_point_stride;
    const float* const weights = product.weights + point * product.weights_point_stride;
    float* const out = product.products + point * product.products_point_stride;
    for (std::size_t part = 0; part < parts.parts; ++part) {
      const std::size_t first = parts.first(part);
      kMultiply[parts.first(part + 1) - first - 1](product, in + first * product.blocks * kBlock, weights,
                                                   out + first * kOutputChannels);
    }
  }
}

template <std::size_t kOutputs>
void transform_input_run(const InputRun& run) {
  constexpr std::size_t kInputs = CookToom<kOutputs>::kInputs;
  const Floats d;
  for (std::size_t block = 0; block < run.blocks; ++block) {
    for (std::size_t lane = 0; lane < kBlock; lane += kLanes) {
      const float* rows[kInputs];
      for (std::size_t i = 0; i < kInputs; ++i) {
        rows[i] = run.rows[i] + static_cast<std::ptrdiff_t>(block) * run.block_step[i] + lane;
      }
      Vector columns[kInputs][kInputs];  // B^T d: [row][column]
      for (std::size_t tile = 0; tile < run.tiles; ++tile) {
        // The last two columns of a tile are the first two of the next.
        std::size_t first = 0;
        if (tile > 0) {
          for (std::size_t i = 0; i < kInputs; ++i) {
            columns[i][0] = columns[i][kOutputs];
            columns[i][1] = columns[i][kOutputs + 1];
          }
          first = 2;
        }
        for (std::size_t column = first; column < kInputs; ++column) {
          const std::size_t pixel = (tile * kOutputs + column) * kBlock;
          Vector in[kInputs];
          Vector transformed[kInputs];
#pragma GCC unroll 8
          for (std::size_t i = 0; i < kInputs; ++i) {
            in[i] = hn::Load(d, rows[i] + pixel);
            hwy::Prefetch(rows[i] + pixel + kPixelsAhead * kBlock);
          }
          transform_input<kOutputs>(in, transformed);
#pragma GCC unroll 8
          for (std::size_t i = 0; i < kInputs; ++i) columns[i][column] = transformed[i];
        }
        float* point = run.places[tile].transformed + block * run.places[tile].block_stride + lane;
        for (std::size_t i = 0; i < kInputs; ++i) {
          Vector transformed[kInputs];
          transform_input<kOutputs>(columns[i], transformed);
#pragma GCC unroll 8
          for (std::size_t j = 0; j < kInputs; ++j, point += run.point_stride) {
            hn::Store(transformed[j], d, point);
          }
        }
      }
    }
  }
}

/// Stores values that are read again only after everything else was written. Whole cache lines go straight to
/// memory, without reading that memory first.
HWY_INLINE void store_for_later(Vector values, float* to) {
  if constexpr (kLanes == kBlock) {
    hn::Stream(values, Floats(), to);
  } else {
    hn::Store(values, Floats(), to);
  }
}

HWY_INLINE void store_zeros(float* to, std::size_t pixels) {
  const Floats d;
  for (std::size_t i = 0; i < pixels * kBlock; i += kLanes) hn::Store(hn::Zero(d), d, to + i);
}

template <std::size_t kOutputs, bool kPool>
void transform_output_run(const OutputRun& run) {
  constexpr std::size_t kInputs = CookToom<kOutputs>::kInputs;
  constexpr std::size_t kSide = kPool ? kOutputs / 2 : kOutputs;  // of a tile in the destination
  const Floats d;
  const Vector least = hn::Set(d, run.least);
  const std::size_t rows = run.rows < kSide ? run.rows : kSide;
  for (std::size_t channel = 0; channel < kOutputChannels; channel += kLanes) {
    const Vector bias = hn::Load(d, run.bias + channel);
    float* const destination = run.destination + channel / kBlock * run.block_stride + channel % kBlock;
    for (std::size_t tile = 0; tile < run.tiles; ++tile) {
      const float* in = run.products + tile * kOutputChannels + channel;
      Vector columns[kOutputs][kInputs];  // A^T M: [row][column]
      for (std::size_t column = 0; column < kInputs; ++column, in += run.point_stride) {
        Vector products[kInputs];
        Vector transformed[kOutputs];
#pragma GCC unroll 8
        for (std::size_t i = 0; i < kInputs; ++i)
          products[i] = hn::Load(d, in + i * kInputs * run.point_stride);
        transform_output<kOutputs>(products, transformed);
#pragma GCC unroll 8
        for (std::size_t i = 0; i < kOutputs; ++i) columns[i][column] = transformed[i];
      }
      const std::size_t left = run.columns - std::min(run.columns, tile * kSide);
      const std::size_t width = left < kSide ? left : kSide;
      float* to = destination + tile * kSide * kBlock;
      for (std::size_t row = 0; row < rows; ++row, to += run.row_stride) {
        Vector outputs[kOutputs];
        if constexpr (kPool) {
          // Rounding keeps the order of values, so bias and bound may come after the maximum.
          Vector second[kOutputs];
          transform_output<kOutputs>(columns[2 * row], outputs);
          transform_output<kOutputs>(columns[2 * row + 1], second);
#pragma GCC unroll 8
          for (std::size_t j = 0; j < kOutputs; ++j) outputs[j] = hn::Max(outputs[j], second[j]);
#pragma GCC unroll 8
          for (std::size_t j = 0; j < kSide; ++j) outputs[j] = hn::Max(outputs[2 * j], outputs[2 * j + 1]);
        } else {
          transform_output<kOutputs>(columns[row], outputs);
        }
#pragma GCC unroll 8
        for (std::size_t j = 0; j < kSide; ++j) outputs[j] = hn::Max(hn::Add(outputs[j], bias), least);
        if (width == kSide) {
#pragma GCC unroll 8
          for (std::size_t j = 0; j < kSide; ++j) store_for_later(outputs[j], to + j * kBlock);
        } else {
          for (std::size_t j = 0; j < width; ++j) store_for_later(outputs[j], to + j * kBlock);
        }
      }
    }
  }
  hwy::FlushStream();  // before other threads are told
  if (run.zeros_before + run.zeros_after == 0) return;
  for (std::size_t block = 0; block < kOutputChannels / kBlock; ++block) {
    for (std::size_t row = 0; row < rows; ++row) {
      float* const first = run.destination + block * run.block_stride + row * run.row_stride;
      store_zeros(first - run.zeros_before * kBlock, run.zeros_before);
      store_zeros(first + run.columns * kBlock, run.zeros_after);
    }
  }
}

// GCC would keep the values that neighbouring pixels share in registers, but no register is free.
#if HWY_COMPILER_GCC_ACTUAL
#define HEADSTART_READ_AGAIN __attribute__((optimize("no-predictive-commoning")))
#else
#define HEADSTART_READ_AGAIN
#endif

template <std::size_t kCount>
HEADSTART_READ_AGAIN void convolve_pixels(const ImageRow& row, std::size_t first,
                                          const float* HWY_RESTRICT weights, const float* HWY_RESTRICT bias,
                                          float* HWY_RESTRICT out) {
  const Floats d;
  Vector sums[kCount][kVectors];
#pragma GCC unroll 14
  for (std::size_t t = 0; t < kCount; ++t) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) sums[t][v] = hn::Zero(d);
  }
  for (const float* in : row.rows) {
    for (std::size_t tap = 0; tap < 9; ++tap, weights += kOutputChannels) {
      add_outer_product<kCount>(in + first * 3 + tap, 3, weights, kBlock, sums);
    }
  }
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kVectors; ++v) {
    const Vector added = hn::Load(d, bias + v * kLanes);
    float* const to = out + v * kLanes / kBlock * row.block_stride + v * kLanes % kBlock;
#pragma GCC unroll 14
    for (std::size_t t = 0; t < kCount; ++t) {
      hn::Store(hn::Max(hn::Add(sums[t][v], added), hn::Zero(d)), d, to + t * kBlock);
    }
  }
}

using ConvolvePixels = void (*)(const ImageRow&, std::size_t, const float*, const float*, float*);
template <std::size_t... kCounts>
constexpr std::array<ConvolvePixels, kTiles> convolve_by_count(std::index_sequence<kCounts...>) {
  return {convolve_pixels<kCounts + 1>...};
}
constexpr std::array<ConvolvePixels, kTiles> kConvolve =
    convolve_by_count(std::make_index_sequence<kTiles>());

void convolve_image_row(const ImageRow& row) {
  for (std::size_t first = 0; first < row.columns; first += kTiles) {
    const std::size_t count = row.columns - first < kTiles ? row.columns - first : kTiles;
    for (std::size_t channel = 0; channel < row.out_channels; channel += kOutputChannels) {
      kConvolve[count - 1](row, first, row.weights + channel * 27, row.bias + channel,
                           row.destination + channel / kBlock * row.block_stride + first * kBlock);
    }
  }
}

void pool_row(const PoolRow& row) {
  const Floats d;
  for (std::size_t x = 0; x < row.columns; ++x) {
    for (std::size_t lane = 0; lane < kBlock; lane += kLanes) {
      const std::size_t at = 2 * x * kBlock + lane;
      const auto widest = [&](const float* in) HWY_ATTR {
        return hn::Max(hn::Load(d, in + at), hn::Load(d, in + at + kBlock));
      };
      hn::Store(hn::Max(widest(row.rows[0]), widest(row.rows[1])), d, row.destination + x * kBlock + lane);
    }
  }
}

/// Whether MulAdd rounds once. With e = 2^-12, (1 + e)^2 - (1 + 2e) is then e^2. If the square is rounded
/// first, it is 0.
bool rounds_once() {
  const volatile float one_and_e = 1.0F + 0x1p-12F;  // volatile: computed by the CPU, not by the compiler
  const volatile float minus = -(1.0F + 0x1p-11F);
  const Floats d;
  const auto factor = hn::Set(d, one_and_e);
  return hn::GetLane(hn::MulAdd(factor, factor, hn::Set(d, minus))) != 0.0F;
}

/// Highway's name of an instruction set, as CPUs' makers call it.
constexpr std::string_view instruction_set(std::string_view highway) {
  return highway.starts_with("AVX3") ? "AVX-512" : highway;
}

Kernels kernels_of_target() {
  Kernels kernels{.target = instruction_set(hwy::TargetName(HWY_TARGET)),
                  .is_fused = rounds_once(),
                  .outputs = kOutputChannels,
                  .tiles = kTiles,
                  .multiply = multiply,
                  .convolve_image_row = convolve_image_row,
                  .pool_row = pool_row,
                  .multiply_gradient = multiply_gradient,
                  .gate_row = gate_row,
                  .unpool_row = unpool_row};
  kernels.transform_input[4] = transform_input_run<4>;
  kernels.transform_input[5] = transform_input_run<5>;
  kernels.transform_input[6] = transform_input_run<6>;
  kernels.transform_output[4] = transform_output_run<4, false>;
  kernels.transform_output[5] = transform_output_run<5, false>;
  kernels.transform_output[6] = transform_output_run<6, false>;
  kernels.transform_output_and_pool[4] = transform_output_run<4, true>;
  kernels.transform_output_and_pool[6] = transform_output_run<6, true>;
  kernels.transform_weights[4] = transform_weights<4>;
  kernels.transform_weights[5] = transform_weights<5>;
  kernels.transform_weights[6] = transform_weights<6>;
  kernels.transform_gradient[4] = transform_gradient_run<4>;
  kernels.transform_gradient[5] = transform_gradient_run<5>;
  kernels.transform_gradient[6] = transform_gradient_run<6>;
  kernels.transform_weight_gradients[4] = transform_weight_gradients<4>;
  kernels.transform_weight_gradients[5] = transform_weight_gradients<5>;
  kernels.transform_weight_gradients[6] = transform_weight_gradients<6>;
  return kernels;
}

}  // namespace HWY_NAMESPACE
}  // namespace headstart::winograd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace headstart::winograd {

HWY_EXPORT(kernels_of_target);

Kernels best_kernels() { return HWY_DYNAMIC_DISPATCH(kernels_of_target)(); }

std::vector<Kernels> all_kernels() {
  std::vector<Kernels> kernels;
  std::int64_t targets = hwy::SupportedTargets() & HWY_TARGETS;
  while (targets != 0) {
    const std::int64_t target = targets & -targets;
    targets &= ~target;
    hwy::GetChosenTarget().Update(target);
    kernels.push_back(best_kernels());
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return kernels;
}

}  // namespace headstart::winograd
#endif  // HWY_ONCE
