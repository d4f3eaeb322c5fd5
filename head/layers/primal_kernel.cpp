// head/layers/primal_kernel.cpp: compiled once per instruction set by Highway's foreach_target, which
// includes this file again. Four or eight vectors are in use at a time per column chunk. This number is
// enough to hide the latency of FMA, and few enough for 16 registers.
#include "head/layers/primal_kernel.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "head/layers/primal_kernel.cpp"
#include <hwy/foreach_target.h>  // before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace headstart {
namespace HWY_NAMESPACE {  // NOLINT(readability-identifier-naming): Highway names one namespace per target

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::CappedTag<float, kColumnGroup>;
using Vector = hn::Vec<Floats>;

// Squares are summed in float over this many features, then in double. So a float sum has at most 64 terms a
// lane.
constexpr std::size_t kSquaresBlock = 16;

// Updates one vector of w and v; returns the new w.
template <bool kNesterov>
HWY_INLINE Vector update_vector(float* HWY_RESTRICT w, float* HWY_RESTRICT v, Vector gradient,
                                Vector learning_rate, Vector momentum, Vector two_l2) {
  const Floats d;
  const Vector old_w = hn::Load(d, w);
  const Vector g = hn::MulAdd(two_l2, old_w, gradient);
  const Vector new_v = hn::NegMulAdd(learning_rate, g, hn::Mul(momentum, hn::Load(d, v)));
  const Vector move = kNesterov ? hn::NegMulAdd(learning_rate, g, hn::Mul(momentum, new_v)) : new_v;
  const Vector new_w = hn::Add(old_w, move);
  hn::Store(new_v, d, v);
  hn::Store(new_w, d, w);
  return new_w;
}

template <bool kNesterov>
HWY_INLINE double update_tile(const TileUpdate& tile) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t width = tile.width;
  const std::size_t features = tile.offsets.size() - 1;
  const Vector learning_rate = hn::Set(d, tile.learning_rate);
  const Vector momentum = hn::Set(d, tile.momentum);
  const Vector two_l2 = hn::Set(d, tile.two_l2);
  const float* const dz = tile.dz.data();
  double sums[kColumnGroup] = {};

  for (std::size_t block = 0; block < features; block += kSquaresBlock) {
    const std::size_t block_end = block + kSquaresBlock < features ? block + kSquaresBlock : features;
    Vector squares = hn::Zero(d);
    for (std::size_t i = block; i < block_end; ++i) {
      const BatchEntry* const begin = tile.entries.data() + tile.offsets[i];
      const BatchEntry* const end = tile.entries.data() + tile.offsets[i + 1];
      float* HWY_RESTRICT w = tile.kernel.data() + i * width;
      float* HWY_RESTRICT v = tile.velocity.data() + i * width;
      std::size_t c = 0;
      for (; c + 4 * lanes <= width; c += 4 * lanes) {
        Vector g0 = hn::Zero(d);
        Vector g1 = g0;
        Vector g2 = g0;
        Vector g3 = g0;
        for (const BatchEntry* entry = begin; entry != end; ++entry) {
          const Vector x = hn::Set(d, entry->value);
          const float* const row = dz + static_cast<std::size_t>(entry->row) * width + c;
          g0 = hn::MulAdd(x, hn::Load(d, row), g0);
          g1 = hn::MulAdd(x, hn::Load(d, row + lanes), g1);
          g2 = hn::MulAdd(x, hn::Load(d, row + 2 * lanes), g2);
          g3 = hn::MulAdd(x, hn::Load(d, row + 3 * lanes), g3);
        }
        g0 = update_vector<kNesterov>(w + c, v + c, g0, learning_rate, momentum, two_l2);
        g1 = update_vector<kNesterov>(w + c + lanes, v + c + lanes, g1, learning_rate, momentum, two_l2);
        g2 = update_vector<kNesterov>(w + c + 2 * lanes, v + c + 2 * lanes, g2, learning_rate, momentum,
                                      two_l2);
        g3 = update_vector<kNesterov>(w + c + 3 * lanes, v + c + 3 * lanes, g3, learning_rate, momentum,
                                      two_l2);
        squares = hn::MulAdd(g0, g0, squares);
        squares = hn::MulAdd(g1, g1, squares);
        squares = hn::MulAdd(g2, g2, squares);
        squares = hn::MulAdd(g3, g3, squares);
      }
      for (; c < width; c += lanes) {
        Vector g = hn::Zero(d);
        for (const BatchEntry* entry = begin; entry != end; ++entry) {
          const float* const row = dz + static_cast<std::size_t>(entry->row) * width + c;
          g = hn::MulAdd(hn::Set(d, entry->value), hn::Load(d, row), g);
        }
        g = update_vector<kNesterov>(w + c, v + c, g, learning_rate, momentum, two_l2);
        squares = hn::MulAdd(g, g, squares);
      }
    }
    HWY_ALIGN float block_squares[kColumnGroup] = {};
    hn::Store(squares, d, block_squares);
    for (std::size_t lane = 0; lane < kColumnGroup; ++lane)
      sums[lane] += static_cast<double>(block_squares[lane]);
  }
  double total = 0.0;
  for (const double sum : sums) total += sum;
  return total;
}

double update(const TileUpdate& tile) noexcept {
  return tile.nesterov ? update_tile<true>(tile) : update_tile<false>(tile);
}

void add_product(const TileProduct& tile) noexcept {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t width = tile.width;
  const std::size_t entries = tile.indices.size();
  const std::int32_t* const indices = tile.indices.data();
  const float* const values = tile.values.data();
  const float* const kernel = tile.kernel.data();
  float* const z = tile.z.data();

  std::size_t c = 0;
  for (; c + 4 * lanes <= width; c += 4 * lanes) {
    Vector z0 = hn::Zero(d);
    Vector z1 = z0;
    Vector z2 = z0;
    Vector z3 = z0;
    for (std::size_t k = 0; k < entries; ++k) {
      const Vector x = hn::Set(d, values[k]);
      const float* const w = kernel + static_cast<std::size_t>(indices[k] - tile.first_feature) * width + c;
      z0 = hn::MulAdd(x, hn::LoadU(d, w), z0);
      z1 = hn::MulAdd(x, hn::LoadU(d, w + lanes), z1);
      z2 = hn::MulAdd(x, hn::LoadU(d, w + 2 * lanes), z2);
      z3 = hn::MulAdd(x, hn::LoadU(d, w + 3 * lanes), z3);
    }
    hn::StoreU(hn::Add(hn::LoadU(d, z + c), z0), d, z + c);
    hn::StoreU(hn::Add(hn::LoadU(d, z + c + lanes), z1), d, z + c + lanes);
    hn::StoreU(hn::Add(hn::LoadU(d, z + c + 2 * lanes), z2), d, z + c + 2 * lanes);
    hn::StoreU(hn::Add(hn::LoadU(d, z + c + 3 * lanes), z3), d, z + c + 3 * lanes);
  }
  for (; c + lanes <= width; c += lanes) {
    Vector sum = hn::Zero(d);
    for (std::size_t k = 0; k < entries; ++k) {
      const float* const w = kernel + static_cast<std::size_t>(indices[k] - tile.first_feature) * width + c;
      sum = hn::MulAdd(hn::Set(d, values[k]), hn::LoadU(d, w), sum);
    }
    hn::StoreU(hn::Add(hn::LoadU(d, z + c), sum), d, z + c);
  }
  for (; c < width; ++c) {
    float sum = 0.0F;
    for (std::size_t k = 0; k < entries; ++k) {
      sum += values[k] * kernel[static_cast<std::size_t>(indices[k] - tile.first_feature) * width + c];
    }
    z[c] += sum;
  }
}

// The sums of products are formed in float over kSquaresBlock features, then in double.
struct NormVectors {
  Vector w_w;
  Vector w_v;
  Vector v_v;
};

// TileCombination's constants, in registers. If they were read from the struct, they would be loaded again
// after every store.
struct CombinationVectors {
  Vector kernel_from_kernel;
  Vector kernel_from_velocity;
  Vector velocity_from_kernel;
  Vector velocity_from_velocity;
};

HWY_INLINE void combine_vector(const CombinationVectors& by, float* HWY_RESTRICT w, float* HWY_RESTRICT v,
                               Vector to_w, Vector to_v, NormVectors& norms) {
  const Floats d;
  const Vector old_w = hn::Load(d, w);
  const Vector old_v = hn::Load(d, v);
  const Vector gain =
      hn::MulAdd(by.kernel_from_kernel, old_w, hn::MulAdd(by.kernel_from_velocity, old_v, to_w));
  const Vector new_w = hn::Add(old_w, gain);
  const Vector new_v =
      hn::MulAdd(by.velocity_from_kernel, old_w, hn::MulAdd(by.velocity_from_velocity, old_v, to_v));
  hn::Store(new_w, d, w);
  hn::Store(new_v, d, v);
  norms.w_w = hn::MulAdd(new_w, new_w, norms.w_w);
  norms.w_v = hn::MulAdd(new_w, new_v, norms.w_v);
  norms.v_v = hn::MulAdd(new_v, new_v, norms.v_v);
}

double sum_of_lanes(Vector vector) {
  const Floats d;
  HWY_ALIGN float lanes[kColumnGroup] = {};
  hn::Store(vector, d, lanes);
  double sum = 0.0;
  for (const float lane : lanes) sum += static_cast<double>(lane);
  return sum;
}

KernelNorms combine(const TileCombination& tile) noexcept {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t width = tile.width;
  const std::size_t features = tile.offsets.size() - 1;
  const float* const dz = tile.dz.data();
  const CombinationVectors by{hn::Set(d, tile.kernel_from_kernel), hn::Set(d, tile.kernel_from_velocity),
                              hn::Set(d, tile.velocity_from_kernel), hn::Set(d, tile.velocity_from_velocity)};
  KernelNorms sums;
  for (std::size_t block = 0; block < features; block += kSquaresBlock) {
    const std::size_t block_end = block + kSquaresBlock < features ? block + kSquaresBlock : features;
    NormVectors norms{hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    for (std::size_t i = block; i < block_end; ++i) {
      const WeightedEntry* const begin = tile.entries.data() + tile.offsets[i];
      const WeightedEntry* const end = tile.entries.data() + tile.offsets[i + 1];
      float* HWY_RESTRICT w = tile.kernel.data() + i * width;
      float* HWY_RESTRICT v = tile.velocity.data() + i * width;
      std::size_t c = 0;
      for (; c + 4 * lanes <= width; c += 4 * lanes) {
        Vector w0 = hn::Zero(d);
        Vector w1 = w0;
        Vector w2 = w0;
        Vector w3 = w0;
        Vector v0 = w0;
        Vector v1 = w0;
        Vector v2 = w0;
        Vector v3 = w0;
        for (const WeightedEntry* entry = begin; entry != end; ++entry) {
          const Vector to_w = hn::Set(d, entry->to_kernel);
          const Vector to_v = hn::Set(d, entry->to_velocity);
          const float* const row = dz + static_cast<std::size_t>(entry->row) * width + c;
          const Vector d0 = hn::Load(d, row);
          const Vector d1 = hn::Load(d, row + lanes);
          const Vector d2 = hn::Load(d, row + 2 * lanes);
          const Vector d3 = hn::Load(d, row + 3 * lanes);
          w0 = hn::MulAdd(to_w, d0, w0);
          w1 = hn::MulAdd(to_w, d1, w1);
          w2 = hn::MulAdd(to_w, d2, w2);
          w3 = hn::MulAdd(to_w, d3, w3);
          v0 = hn::MulAdd(to_v, d0, v0);
          v1 = hn::MulAdd(to_v, d1, v1);
          v2 = hn::MulAdd(to_v, d2, v2);
          v3 = hn::MulAdd(to_v, d3, v3);
        }
        combine_vector(by, w + c, v + c, w0, v0, norms);
        combine_vector(by, w + c + lanes, v + c + lanes, w1, v1, norms);
        combine_vector(by, w + c + 2 * lanes, v + c + 2 * lanes, w2, v2, norms);
        combine_vector(by, w + c + 3 * lanes, v + c + 3 * lanes, w3, v3, norms);
      }
      for (; c < width; c += lanes) {
        Vector to_w = hn::Zero(d);
        Vector to_v = to_w;
        for (const WeightedEntry* entry = begin; entry != end; ++entry) {
          const Vector row = hn::Load(d, dz + static_cast<std::size_t>(entry->row) * width + c);
          to_w = hn::MulAdd(hn::Set(d, entry->to_kernel), row, to_w);
          to_v = hn::MulAdd(hn::Set(d, entry->to_velocity), row, to_v);
        }
        combine_vector(by, w + c, v + c, to_w, to_v, norms);
      }
    }
    sums.w_w += sum_of_lanes(norms.w_w);
    sums.w_v += sum_of_lanes(norms.w_v);
    sums.v_v += sum_of_lanes(norms.v_v);
  }
  return sums;
}

void add_products(const TileProductPair& tile) noexcept {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t width = tile.width;
  const std::size_t entries = tile.indices.size();
  const std::int32_t* const indices = tile.indices.data();
  const float* const values = tile.values.data();
  const auto add = [&](float* to, Vector sum) HWY_ATTR { hn::StoreU(hn::Add(hn::LoadU(d, to), sum), d, to); };

  std::size_t c = 0;
  for (; c + 4 * lanes <= width; c += 4 * lanes) {
    Vector z0 = hn::Zero(d);
    Vector z1 = z0;
    Vector z2 = z0;
    Vector z3 = z0;
    Vector y0 = z0;
    Vector y1 = z0;
    Vector y2 = z0;
    Vector y3 = z0;
    for (std::size_t k = 0; k < entries; ++k) {
      const Vector x = hn::Set(d, values[k]);
      const std::size_t place = static_cast<std::size_t>(indices[k] - tile.first_feature) * width + c;
      const float* const w = tile.kernel.data() + place;
      const float* const v = tile.velocity.data() + place;
      z0 = hn::MulAdd(x, hn::LoadU(d, w), z0);
      z1 = hn::MulAdd(x, hn::LoadU(d, w + lanes), z1);
      z2 = hn::MulAdd(x, hn::LoadU(d, w + 2 * lanes), z2);
      z3 = hn::MulAdd(x, hn::LoadU(d, w + 3 * lanes), z3);
      y0 = hn::MulAdd(x, hn::LoadU(d, v), y0);
      y1 = hn::MulAdd(x, hn::LoadU(d, v + lanes), y1);
      y2 = hn::MulAdd(x, hn::LoadU(d, v + 2 * lanes), y2);
      y3 = hn::MulAdd(x, hn::LoadU(d, v + 3 * lanes), y3);
    }
    float* const z = tile.z.data() + c;
    float* const y = tile.y.data() + c;
    add(z, z0);
    add(z + lanes, z1);
    add(z + 2 * lanes, z2);
    add(z + 3 * lanes, z3);
    add(y, y0);
    add(y + lanes, y1);
    add(y + 2 * lanes, y2);
    add(y + 3 * lanes, y3);
  }
  for (; c < width; c += lanes) {
    Vector z = hn::Zero(d);
    Vector y = z;
    for (std::size_t k = 0; k < entries; ++k) {
      const Vector x = hn::Set(d, values[k]);
      const std::size_t place = static_cast<std::size_t>(indices[k] - tile.first_feature) * width + c;
      z = hn::MulAdd(x, hn::LoadU(d, tile.kernel.data() + place), z);
      y = hn::MulAdd(x, hn::LoadU(d, tile.velocity.data() + place), y);
    }
    add(tile.z.data() + c, z);
    add(tile.y.data() + c, y);
  }
}

PrimalKernel kernel_of_target() {
  return {hwy::TargetName(HWY_TARGET), update, add_product, combine, add_products};
}

}  // namespace HWY_NAMESPACE
}  // namespace headstart
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace headstart {

HWY_EXPORT(kernel_of_target);

PrimalKernel best_primal_kernel() { return HWY_DYNAMIC_DISPATCH(kernel_of_target)(); }

std::vector<PrimalKernel> all_primal_kernels() {
  std::vector<PrimalKernel> kernels;
  std::int64_t targets = hwy::SupportedTargets() & HWY_TARGETS;
  while (targets != 0) {
    const std::int64_t target = targets & -targets;
    targets &= ~target;
    hwy::GetChosenTarget().Update(target);
    kernels.push_back(best_primal_kernel());
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return kernels;
}

}  // namespace headstart
#endif  // HWY_ONCE
