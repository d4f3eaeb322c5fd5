// head/layers/primal_kernel.hpp: the compute routines (inner loops) of the first layer's solvers, in SIMD for
// every CPU (Google Highway, chosen at run time). The tests compare them with the plain loops, which are
// here, too. No allocation, no I/O, no locks: the arguments are spans.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace headstart {

/// Columns come in groups of this many floats (one cache line, the widest vector used). So a tile's width is
/// a multiple of it.
inline constexpr std::size_t kColumnGroup = 16;

/// One non-zero of a batch, kept under its feature.
struct BatchEntry {
  std::int32_t row = 0;  ///< in the batch, from 0
  float value = 0.0F;
};

/// One SGD step on a tile of consecutive features: rows of W and of the velocity V.
struct TileUpdate {
  std::span<float> kernel;    ///< W, [features, width], on a cache line; in and out
  std::span<float> velocity;  ///< V, the same shape
  std::size_t width = 0;      ///< a multiple of kColumnGroup
  std::span<const std::int64_t>
      offsets;  ///< [features + 1]: feature i has entries[offsets[i] .. offsets[i + 1])
  std::span<const BatchEntry> entries;  ///< of the whole batch
  std::span<const float> dz;            ///< [batch, width], on a cache line
  float learning_rate = 0.0F;
  float momentum = 0.0F;
  float two_l2 = 0.0F;  ///< 2 lambda
  bool nesterov = false;
};

/// One non-zero of a block of rows, listed under its feature. The entry is multiplied by the weight of its
/// row of dz in W and in V.
struct WeightedEntry {
  std::int32_t row = 0;  ///< in the block, from 0
  float to_kernel = 0.0F;
  float to_velocity = 0.0F;
};

/// Several SGD steps at once on a tile of consecutive features. Together the steps are linear in W, V and dz,
/// with the constants below.
struct TileCombination {
  std::span<float> kernel;                 ///< W, [features, width], on a cache line; in and out
  std::span<float> velocity;               ///< V, the same shape
  std::size_t width = 0;                   ///< a multiple of kColumnGroup
  std::span<const std::int64_t> offsets;   ///< [features + 1]: as in TileUpdate
  std::span<const WeightedEntry> entries;  ///< of the whole block
  std::span<const float> dz;               ///< [block, width], on a cache line
  /// The factor less one, so that the change of W is exact.
  float kernel_from_kernel = 0.0F;
  float kernel_from_velocity = 0.0F;
  float velocity_from_kernel = 0.0F;
  float velocity_from_velocity = 0.0F;
};

/// Sums over a weights matrix W and its velocity V.
struct KernelNorms {
  double w_w = 0.0;  ///< sum of W^2
  double w_v = 0.0;  ///< sum of W V
  double v_v = 0.0;  ///< sum of V^2
};

/// A sparse row's entries in a tile of consecutive features, and that tile of W and of V, to be multiplied.
struct TileProductPair {
  std::span<const float> kernel;          ///< W, [features, width]
  std::span<const float> velocity;        ///< V, the same shape
  std::size_t width = 0;                  ///< a multiple of kColumnGroup
  std::int32_t first_feature = 0;         ///< the feature of the tile's first row
  std::span<const std::int32_t> indices;  ///< features, all in the tile
  std::span<const float> values;          ///< the same number
  std::span<float> z;                     ///< [width]: by W; added to
  std::span<float> y;                     ///< [width]: by V; added to
};

/// A sparse row's entries in a tile of consecutive features, and that tile of W, to be multiplied.
struct TileProduct {
  std::span<const float> kernel;          ///< W, [features, width]
  std::size_t width = 0;                  ///< any
  std::int32_t first_feature = 0;         ///< the feature of the tile's first row
  std::span<const std::int32_t> indices;  ///< features, all in the tile
  std::span<const float> values;          ///< the same number
  std::span<float> z;                     ///< [width]; added to
};

struct PrimalKernel {
  std::string_view name;
  /// For each feature:
  ///   g = sum over its entries of value * dz[row] + two_l2 w;  v = momentum v - learning_rate g;
  ///   w += v, or with Nesterov w += momentum v - learning_rate g
  /// Returns sum(w^2) of the new w, in double.
  double (*update)(const TileUpdate& tile) noexcept;
  /// z += values W[indices]. The tile's sum is formed first and added to z once. So rounding grows with the
  /// number of tiles, not of features.
  void (*add_product)(const TileProduct& tile) noexcept;
  /// With g = sum over a feature's entries of to_kernel * dz[row], and h the same sum with to_velocity:
  ///   w += kernel_from_kernel w + kernel_from_velocity v + g
  ///   v = velocity_from_kernel w + velocity_from_velocity v + h
  /// Both are computed from the old w and v. Returns the sums over the new ones, in double.
  KernelNorms (*combine)(const TileCombination& tile) noexcept;
  /// add_product() with W and with V; z gets exactly the result of add_product().
  void (*add_products)(const TileProductPair& tile) noexcept;
};

/// The fastest routines that this CPU can run.
[[nodiscard]] PrimalKernel best_primal_kernel();
/// All routines that this CPU can run, for tests. Do not call this function while another thread calls
/// best_primal_kernel().
[[nodiscard]] std::vector<PrimalKernel> all_primal_kernels();
/// The formulas above as plain loops.
[[nodiscard]] PrimalKernel reference_primal_kernel() noexcept;

}  // namespace headstart
