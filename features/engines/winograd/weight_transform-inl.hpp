// features/engines/winograd/weight_transform-inl.hpp: U = G g G^T and its adjoint, G^T dU G, on kBlock
// outputs of a channel. Included once per instruction set, by kernels.cpp. Invariant: the computation is in
// double, because G divides, and rounds to float32 once. It runs once for each change of the weights. Memory
// limits its speed. kBlock outputs are a cache line at each point, so all points of them are written before
// the next.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cstddef>

#include "features/engines/winograd/cook_toom.hpp"
#include "features/engines/winograd/kernels.hpp"
#include "features/engines/winograd/outer_product-inl.hpp"

#if defined(HEADSTART_FEATURES_WINOGRAD_WEIGHT_TRANSFORM_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef HEADSTART_FEATURES_WINOGRAD_WEIGHT_TRANSFORM_INL_HPP
#undef HEADSTART_FEATURES_WINOGRAD_WEIGHT_TRANSFORM_INL_HPP
#else
#define HEADSTART_FEATURES_WINOGRAD_WEIGHT_TRANSFORM_INL_HPP
#endif

HWY_BEFORE_NAMESPACE();
namespace headstart::winograd {
namespace HWY_NAMESPACE {  // NOLINT(readability-identifier-naming): Highway names one namespace per target

using Doubles = hn::CappedTag<double, 8>;
using FewFloats = hn::Rebind<float, Doubles>;  // as many lanes as Doubles has
using DoubleVector = hn::Vec<Doubles>;
constexpr std::size_t kDoubleLanes = hn::MaxLanes(Doubles());
constexpr std::size_t kDoubleVectors = kBlock / kDoubleLanes;

HWY_INLINE DoubleVector load_doubles(const float* from) {
  return hn::PromoteTo(Doubles(), hn::LoadU(FewFloats(), from));
}

HWY_INLINE void store_doubles(DoubleVector values, float* to) {
  hn::StoreU(hn::DemoteTo(FewFloats(), values), FewFloats(), to);
}

/// The row of G at a point, times the vector (a, b, c).
template <std::size_t kOutputs>
HWY_INLINE DoubleVector kernel_at_point(std::size_t point, DoubleVector a, DoubleVector b, DoubleVector c) {
  const Doubles d;
  const auto& row = CookToom<kOutputs>::kKernel[point];
  return hn::MulAdd(hn::Set(d, row[2]), c, hn::MulAdd(hn::Set(d, row[1]), b, hn::Mul(hn::Set(d, row[0]), a)));
}

template <std::size_t kOutputs>
void transform_weights(const WeightRun& run) {
  constexpr std::size_t kInputs = CookToom<kOutputs>::kInputs;
  for (std::size_t channel = 0; channel < run.channels; ++channel) {
    for (std::size_t block = 0; block < kOutputChannels; block += kBlock) {
      const float* const from = run.kernel + channel * run.channel_stride + block;
      DoubleVector rows[kInputs][3][kDoubleVectors];  // G g
      for (std::size_t x = 0; x < 3; ++x) {
        for (std::size_t v = 0; v < kDoubleVectors; ++v) {
          DoubleVector taps[3];
          for (std::size_t y = 0; y < 3; ++y) {
            taps[y] = load_doubles(from + (y * 3 + x) * run.tap_stride + v * kDoubleLanes);
          }
#pragma GCC unroll 8
          for (std::size_t i = 0; i < kInputs; ++i) {
            rows[i][x][v] = kernel_at_point<kOutputs>(i, taps[0], taps[1], taps[2]);
          }
        }
      }
      float* to = run.transformed + channel * kOutputChannels + block;
      for (std::size_t i = 0; i < kInputs; ++i) {
        alignas(64) float points[kInputs][kBlock];
#pragma GCC unroll 8
        for (std::size_t j = 0; j < kInputs; ++j) {
          for (std::size_t v = 0; v < kDoubleVectors; ++v) {
            store_doubles(kernel_at_point<kOutputs>(j, rows[i][0][v], rows[i][1][v], rows[i][2][v]),
                          points[j] + v * kDoubleLanes);
          }
        }
        // Writes past the caches, because the transformed weights of a layer are larger than the caches.
        for (std::size_t j = 0; j < kInputs; ++j, to += run.point_stride) {
          for (std::size_t lane = 0; lane < kBlock; lane += kLanes) {
            hn::Stream(hn::Load(Floats(), points[j] + lane), Floats(), to + lane);
          }
        }
      }
    }
  }
  hwy::FlushStream();
}

/// taps = G^T in: kInputs vectors to three.
template <std::size_t kOutputs, class Load>
HWY_INLINE void kernel_taps(const Load& load, DoubleVector (&taps)[3]) {
  const Doubles d;
  for (DoubleVector& tap : taps) tap = hn::Zero(d);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < CookToom<kOutputs>::kInputs; ++i) {
    const DoubleVector value = load(i);
#pragma GCC unroll 3
    for (std::size_t tap = 0; tap < 3; ++tap) {
      taps[tap] = hn::MulAdd(hn::Set(d, CookToom<kOutputs>::kKernel[i][tap]), value, taps[tap]);
    }
  }
}

template <std::size_t kOutputs>
void transform_weight_gradients(const WeightGradientRun& run) {
  constexpr std::size_t kInputs = CookToom<kOutputs>::kInputs;
  for (std::size_t channel = 0; channel < run.channels; ++channel) {
    for (std::size_t block = 0; block < kOutputChannels; block += kBlock) {
      const float* const from = run.transformed + channel * kOutputChannels + block;
      DoubleVector rows[3][kInputs][kDoubleVectors];  // G^T dU
      for (std::size_t j = 0; j < kInputs; ++j) {
        for (std::size_t v = 0; v < kDoubleVectors; ++v) {
          DoubleVector taps[3];
          kernel_taps<kOutputs>(
              [&](std::size_t i) HWY_ATTR {
                return load_doubles(from + (i * kInputs + j) * run.point_stride + v * kDoubleLanes);
              },
              taps);
          for (std::size_t y = 0; y < 3; ++y) rows[y][j][v] = taps[y];
        }
      }
      float* const to = run.kernel + channel * run.channel_stride + block;
      for (std::size_t y = 0; y < 3; ++y) {
        for (std::size_t v = 0; v < kDoubleVectors; ++v) {
          DoubleVector taps[3];
          kernel_taps<kOutputs>([&](std::size_t j) HWY_ATTR { return rows[y][j][v]; }, taps);
          for (std::size_t x = 0; x < 3; ++x) {
            store_doubles(taps[x], to + (y * 3 + x) * run.tap_stride + v * kDoubleLanes);
          }
        }
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace headstart::winograd
HWY_AFTER_NAMESPACE();

#endif
