// features/engines/winograd/outer_product-inl.hpp: how many sums each instruction set's registers hold, and
// the step that all matrix products here consist of. Included once per instruction set, by kernels.cpp.
#include <hwy/highway.h>

#include <cstddef>

#include "features/engines/winograd/kernels.hpp"
#include "features/engines/winograd/tile_transform-inl.hpp"

#if defined(HEADSTART_FEATURES_WINOGRAD_OUTER_PRODUCT_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef HEADSTART_FEATURES_WINOGRAD_OUTER_PRODUCT_INL_HPP
#undef HEADSTART_FEATURES_WINOGRAD_OUTER_PRODUCT_INL_HPP
#else
#define HEADSTART_FEATURES_WINOGRAD_OUTER_PRODUCT_INL_HPP
#endif

HWY_BEFORE_NAMESPACE();
namespace headstart::winograd {
namespace HWY_NAMESPACE {  // NOLINT(readability-identifier-naming): Highway names one namespace per target

constexpr std::size_t kLanes = hn::MaxLanes(Floats());

// Registers hold kVectors accumulators a tile, kVectors of weights, and one input. Targets better than AVX3
// have lower numbers, and as many registers as AVX3.
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
constexpr std::size_t kVectors = 2;  // 32 outputs
constexpr std::size_t kTiles = 14;
#elif HWY_TARGET == HWY_AVX2
constexpr std::size_t kVectors = 2;  // 16 outputs
constexpr std::size_t kTiles = 6;
#elif HWY_TARGET == HWY_SCALAR
constexpr std::size_t kVectors = kBlock;
constexpr std::size_t kTiles = 1;
#elif HWY_ARCH_X86
constexpr std::size_t kVectors = 4;
constexpr std::size_t kTiles = 2;
#else
constexpr std::size_t kVectors = 4;  // 32 registers of 128 bits
constexpr std::size_t kTiles = 6;
#endif
constexpr std::size_t kOutputChannels = kVectors * kLanes;
static_assert(kOutputChannels % kBlock == 0 && kOutputChannels <= kMaxOutputChannels);

/// Adds the outer product of kCount inputs, `step` floats apart, and kOutputChannels weights. Each channel
/// block of weights begins `block_stride` floats after the one before.
template <std::size_t kCount>
HWY_INLINE void add_outer_product(const float* HWY_RESTRICT in, std::size_t step,
                                  const float* HWY_RESTRICT weights, std::size_t block_stride,
                                  Vector (&sums)[kCount][kVectors]) {
  const Floats d;
  Vector weight[kVectors];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kVectors; ++v) {
    weight[v] = hn::Load(d, weights + v * kLanes / kBlock * block_stride + v * kLanes % kBlock);
  }
#pragma GCC unroll 14
  for (std::size_t t = 0; t < kCount; ++t) {
    const Vector input = hn::Set(d, in[t * step]);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) sums[t][v] = hn::MulAdd(input, weight[v], sums[t][v]);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace headstart::winograd
HWY_AFTER_NAMESPACE();

#endif
