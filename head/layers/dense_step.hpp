// head/layers/dense_step.hpp: the compute routines of the dense solver, in SIMD for every CPU (Google
// Highway, chosen at run time): rows are gathered, multiplied with the weights, and make one SGD step. The
// weights are transposed, [outputs, features]. So a vector holds features, and a layer of ten outputs fills
// it as well as one of a thousand. No allocation, no I/O, no locks.
//
// Invariant: a product is one sum over the features in a fixed order, and a gradient one sum over the batch.
// So neither depends on how many rows or outputs are computed together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "head/layers/affine_rows.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// Features are padded with zeros to a multiple of this many floats (one cache line, the widest vector used).
inline constexpr std::size_t kFeatureGroup = 16;
[[nodiscard]] constexpr std::size_t padded_features(std::int64_t features) noexcept {
  return (static_cast<std::size_t>(features) + kFeatureGroup - 1) / kFeatureGroup * kFeatureGroup;
}

/// The floats from one gathered row to the next: an odd number of cache lines, because the same features of
/// all rows of a batch would otherwise compete for the same few places in L1.
[[nodiscard]] constexpr std::size_t gathered_stride(std::int64_t features) noexcept {
  return (padded_features(features) / kFeatureGroup | 1U) * kFeatureGroup;
}

/// z = X W for some outputs.
struct DenseForward {
  const float* x = nullptr;        ///< [rows, x_stride], on cache lines
  std::size_t x_stride = 0;        ///< gathered_stride()
  const float* weights = nullptr;  ///< W^T, [outputs, stride], on cache lines
  std::size_t stride = 0;          ///< padded_features()
  std::size_t rows = 0;
  std::size_t outputs = 0;
  float* z = nullptr;  ///< [rows, outputs], rows z_stride apart; overwritten
  std::size_t z_stride = 0;
};

/// With g = X^T dz + two_l2 W:  v = momentum v - learning_rate g;
/// then w += v, or with Nesterov w += momentum v - learning_rate g.
struct DenseUpdate {
  const float* x = nullptr;  ///< [rows, x_stride], on cache lines
  std::size_t x_stride = 0;  ///< gathered_stride()
  std::size_t stride = 0;    ///< padded_features()
  std::size_t rows = 0;
  const float* dz = nullptr;  ///< [rows, outputs], without gaps
  std::size_t outputs = 0;
  float* weights = nullptr;   ///< W^T, [outputs, stride], on cache lines; in and out
  float* velocity = nullptr;  ///< V^T, the same shape
  float learning_rate = 0.0F;
  float momentum = 0.0F;
  float two_l2 = 0.0F;  ///< 2 lambda
  bool nesterov = false;
};

struct DenseRoutines {
  std::string_view name;
  /// Reads `which` rows and pads them. @param x  [which.size(), gathered_stride()], on cache lines
  void (*gather)(const AffineRows& rows, std::span<const RowIndex> which, float* x);
  void (*forward)(const DenseForward& forward);
  /// Returns sum(w^2) of the new w, in double.
  double (*update)(const DenseUpdate& update);
};

/// The fastest routines that this CPU can run.
[[nodiscard]] DenseRoutines best_dense_routines();
/// All routines that this CPU can run, for tests. Do not call this function while another thread calls
/// best_dense_routines().
[[nodiscard]] std::vector<DenseRoutines> all_dense_routines();

}  // namespace headstart
