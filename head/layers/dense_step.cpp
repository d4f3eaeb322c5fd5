// head/layers/dense_step.cpp: compiled once per instruction set by Highway's foreach_target, which includes
// this file again. Sums of a tile stay in registers: 24 with AVX-512's 32 registers, else 12. A tile of
// `forward` is rows x outputs, and its vectors run over the features. A tile of `update` is outputs x vectors
// of features, and its sums run over the batch.
#include "head/layers/dense_step.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "head/layers/dense_step.cpp"
#include <hwy/foreach_target.h>  // before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace headstart {
namespace HWY_NAMESPACE {  // NOLINT(readability-identifier-naming): Highway names one namespace per target

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::CappedTag<float, kFeatureGroup>;
using Vector = hn::Vec<Floats>;

// The larger side of a tile is the one whose operand is broadcast or read once for the whole tile.
constexpr std::size_t kLong = HWY_TARGET <= HWY_AVX3 ? 6 : 4;
constexpr std::size_t kShort = HWY_TARGET <= HWY_AVX3 ? 4 : 3;

// Calls tile.operator()<N>(first) for tiles of nearly equal size N <= kMost that cover [0, count).
template <std::size_t kMost, typename Tile>
HWY_INLINE void in_tiles(std::size_t count, const Tile& tile) {
  const std::size_t tiles = (count + kMost - 1) / kMost;
  for (std::size_t t = 0, first = 0; t < tiles; ++t) {
    const std::size_t size = count * (t + 1) / tiles - count * t / tiles;
    switch (size) {
      case 1:
        tile.template operator()<1>(first);
        break;
      case 2:
        tile.template operator()<2>(first);
        break;
      case 3:
        tile.template operator()<3>(first);
        break;
      default:
        if constexpr (kMost >= 4) {
          if (size == 4) tile.template operator()<4>(first);
        }
        if constexpr (kMost >= 6) {
          if (size == 5) tile.template operator()<5>(first);
          if (size == 6) tile.template operator()<6>(first);
        }
        break;
    }
    first += size;
  }
}

template <std::size_t kRows, std::size_t kOutputs>
HWY_INLINE void forward_tile(const DenseForward& f, std::size_t row, std::size_t output) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const float* HWY_RESTRICT x = f.x + row * f.x_stride;
  const float* HWY_RESTRICT w = f.weights + output * f.stride;
  Vector sums[kRows][kOutputs];
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t o = 0; o < kOutputs; ++o) sums[r][o] = hn::Zero(d);
  }
  for (std::size_t k = 0; k < f.stride; k += lanes) {
    Vector weights[kOutputs];
    for (std::size_t o = 0; o < kOutputs; ++o) weights[o] = hn::Load(d, w + o * f.stride + k);
    for (std::size_t r = 0; r < kRows; ++r) {
      const Vector value = hn::Load(d, x + r * f.x_stride + k);
      for (std::size_t o = 0; o < kOutputs; ++o) sums[r][o] = hn::MulAdd(value, weights[o], sums[r][o]);
    }
  }
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t o = 0; o < kOutputs; ++o)
      f.z[(row + r) * f.z_stride + output + o] = hn::GetLane(hn::SumOfLanes(d, sums[r][o]));
  }
}

void forward(const DenseForward& f) {
  in_tiles<kLong>(f.rows, [&]<std::size_t kRows>(std::size_t row) {
    in_tiles<kShort>(f.outputs, [&]<std::size_t kOutputs>(std::size_t output) {
      forward_tile<kRows, kOutputs>(f, row, output);
    });
  });
}

template <bool kNesterov, std::size_t kOutputs, std::size_t kVectors>
HWY_INLINE double update_tile(const DenseUpdate& u, std::size_t output, std::size_t feature) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  Vector sums[kOutputs][kVectors];
  for (std::size_t o = 0; o < kOutputs; ++o) {
    for (std::size_t v = 0; v < kVectors; ++v) sums[o][v] = hn::Zero(d);
  }
  const float* HWY_RESTRICT x = u.x + feature;
  const float* HWY_RESTRICT dz = u.dz + output;
  for (std::size_t r = 0; r < u.rows; ++r) {
    Vector values[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) values[v] = hn::Load(d, x + r * u.x_stride + v * lanes);
    for (std::size_t o = 0; o < kOutputs; ++o) {
      const Vector gradient = hn::Set(d, dz[r * u.outputs + o]);
      for (std::size_t v = 0; v < kVectors; ++v) sums[o][v] = hn::MulAdd(gradient, values[v], sums[o][v]);
    }
  }
  const Vector learning_rate = hn::Set(d, u.learning_rate);
  const Vector momentum = hn::Set(d, u.momentum);
  const Vector two_l2 = hn::Set(d, u.two_l2);
  Vector squares = hn::Zero(d);
  for (std::size_t o = 0; o < kOutputs; ++o) {
    for (std::size_t v = 0; v < kVectors; ++v) {
      const std::size_t place = (output + o) * u.stride + feature + v * lanes;
      const Vector old_w = hn::Load(d, u.weights + place);
      const Vector g = hn::MulAdd(two_l2, old_w, sums[o][v]);
      const Vector new_v =
          hn::NegMulAdd(learning_rate, g, hn::Mul(momentum, hn::Load(d, u.velocity + place)));
      const Vector move = kNesterov ? hn::NegMulAdd(learning_rate, g, hn::Mul(momentum, new_v)) : new_v;
      const Vector new_w = hn::Add(old_w, move);
      hn::Store(new_v, d, u.velocity + place);
      hn::Store(new_w, d, u.weights + place);
      squares = hn::MulAdd(new_w, new_w, squares);
    }
  }
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, squares)));
}

template <bool kNesterov>
HWY_INLINE double update_all(const DenseUpdate& u) {
  const std::size_t lanes = hn::Lanes(Floats());
  double squares = 0.0;
  in_tiles<kShort>(u.stride / lanes, [&]<std::size_t kVectors>(std::size_t vector) {
    in_tiles<kLong>(u.outputs, [&]<std::size_t kOutputs>(std::size_t output) {
      squares += update_tile<kNesterov, kOutputs, kVectors>(u, output, vector * lanes);
    });
  });
  return squares;
}

double update(const DenseUpdate& u) { return u.nesterov ? update_all<true>(u) : update_all<false>(u); }

// One row; the padding becomes zero.
void read_row(const AffineRows& rows, RowIndex row, float* HWY_RESTRICT x) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const auto columns = static_cast<std::size_t>(rows.columns());
  const float* HWY_RESTRICT from = rows.rows.row(row).data();
  const bool moved = !rows.means.empty();
  const Vector of_row =
      hn::Set(d, rows.row_factors.empty() ? 1.0F : rows.row_factors[static_cast<std::size_t>(row)]);
  const Vector factor = hn::Set(d, rows.factor);
  const auto mapped = [&](Vector value, std::size_t c, const auto& load) {
    value = hn::Mul(value, of_row);
    if (moved) {
      value = hn::Sub(hn::Sub(value, load(rows.means.data() + c)), load(rows.mean_rests.data() + c));
      value = hn::Mul(value, load(rows.column_factors.data() + c));
    }
    return hn::Mul(value, factor);
  };
  std::size_t c = 0;
  for (; c + lanes <= columns; c += lanes) {
    hn::Store(mapped(hn::LoadU(d, from + c), c, [&](const float* p) { return hn::LoadU(d, p); }), d, x + c);
  }
  const hn::CappedTag<float, 1> one;
  for (; c < columns; ++c) {
    float value = from[c] * hn::GetLane(of_row);
    if (moved) value = ((value - rows.means[c]) - rows.mean_rests[c]) * rows.column_factors[c];
    hn::StoreU(hn::Set(one, value * rows.factor), one, x + c);
  }
  for (; c < padded_features(rows.columns()); ++c) x[c] = 0.0F;
}

void gather(const AffineRows& rows, std::span<const RowIndex> which, float* x) {
  // Rows lie anywhere in memory: each is fetched while the ones before it are read.
  constexpr std::size_t kAhead = 4;
  constexpr std::size_t kLine = 16;
  const std::size_t stride = gathered_stride(rows.columns());
  for (std::size_t i = 0; i < which.size(); ++i) {
    if (i + kAhead < which.size()) {
      const std::span<const float> coming = rows.rows.row(which[i + kAhead]);
      for (std::size_t c = 0; c < coming.size(); c += kLine) __builtin_prefetch(coming.data() + c, 0, 2);
    }
    read_row(rows, which[i], x + i * stride);
  }
}

DenseRoutines routines_of_target() { return {hwy::TargetName(HWY_TARGET), gather, forward, update}; }

}  // namespace HWY_NAMESPACE
}  // namespace headstart
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace headstart {

HWY_EXPORT(routines_of_target);

DenseRoutines best_dense_routines() { return HWY_DYNAMIC_DISPATCH(routines_of_target)(); }

std::vector<DenseRoutines> all_dense_routines() {
  std::vector<DenseRoutines> routines;
  std::int64_t targets = hwy::SupportedTargets() & HWY_TARGETS;
  while (targets != 0) {
    const std::int64_t target = targets & -targets;
    targets &= ~target;
    hwy::GetChosenTarget().Update(target);
    routines.push_back(best_dense_routines());
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return routines;
}

}  // namespace headstart
#endif  // HWY_ONCE
