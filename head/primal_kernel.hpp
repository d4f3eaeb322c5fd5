// head/primal_kernel.hpp: the inner loops of the solvers of the first layer, in SIMD for every CPU (Google
// Highway, chosen at run time), beside the plain loops that the tests compare them with. No allocation, no
// I/O, no locks: spans in and out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace headstart {

/// Columns come in groups of this many floats (one cache line, the widest vector used): a tile's width is a
/// multiple of it.
inline constexpr std::size_t kColumnGroup = 16;

/// One non-zero of a batch, kept under its feature.
struct BatchEntry {
  std::int32_t row = 0;  ///< in the batch, from 0
  float value = 0.0F;
};

/// SGD on a tile of consecutive features: rows of W and of the velocity V.
struct TileUpdate {
  std::span<float> kernel;    ///< W, [features, width], on a cache line; in and out
  std::span<float> velocity;  ///< V, the same
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

/// One non-zero of a block of rows, kept under its feature and multiplied by what its row of dz weighs in W
/// and in V.
struct WeightedEntry {
  std::int32_t row = 0;  ///< in the block, from 0
  float to_kernel = 0.0F;
  float to_velocity = 0.0F;
};

/// Several steps of SGD at once on a tile of consecutive features: with constants, they are linear.
struct TileCombination {
  std::span<float> kernel;                 ///< W, [features, width], on a cache line; in and out
  std::span<float> velocity;               ///< V, the same
  std::size_t width = 0;                   ///< a multiple of kColumnGroup
  std::span<const std::int64_t> offsets;   ///< [features + 1]: as TileUpdate's
  std::span<const WeightedEntry> entries;  ///< of the whole block
  std::span<const float> dz;               ///< [block, width], on a cache line
  float kernel_from_kernel = 0.0F;         ///< less one: what W gains, not what it keeps, has to be exact
  float kernel_from_velocity = 0.0F;
  float velocity_from_kernel = 0.0F;
  float velocity_from_velocity = 0.0F;
};

/// Sums over a kernel W and its velocity V.
struct KernelNorms {
  double w_w = 0.0;  ///< sum of W^2
  double w_v = 0.0;  ///< sum of W V
  double v_v = 0.0;  ///< sum of V^2
};

/// A sparse row's entries in a tile of consecutive features, times that tile of W and of V.
struct TileProductPair {
  std::span<const float> kernel;          ///< W, [features, width]
  std::span<const float> velocity;        ///< V, the same
  std::size_t width = 0;                  ///< a multiple of kColumnGroup
  std::int32_t first_feature = 0;         ///< the feature of the tile's first row
  std::span<const std::int32_t> indices;  ///< features, all in the tile
  std::span<const float> values;          ///< the same number
  std::span<float> z;                     ///< [width]: by W; added to
  std::span<float> y;                     ///< [width]: by V; added to
};

/// A sparse row's entries in a tile of consecutive features, times that tile of W.
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
  /// Per feature: g = sum over its entries of value * dz[row] + two_l2 w;  v = momentum v - learning_rate g;
  /// w += v, or with Nesterov w += momentum v - learning_rate g. Returns sum(w^2) of the new w, in double.
  double (*update)(const TileUpdate& tile) noexcept;
  /// z += values W[indices]; the tile's sum is formed first and added to z once, so that rounding grows with
  /// the number of tiles, not of features.
  void (*add_product)(const TileProduct& tile) noexcept;
  /// With g = sum over a feature's entries of to_kernel * dz[row], and h the same of to_velocity:
  /// w += kernel_from_kernel w + kernel_from_velocity v + g;  v = velocity_from_kernel w +
  /// velocity_from_velocity v + h, both from the old w and v. Returns the sums of the new ones, in double.
  KernelNorms (*combine)(const TileCombination& tile) noexcept;
  /// add_product() by W and V, with the same bits in z.
  void (*add_products)(const TileProductPair& tile) noexcept;
};

/// The fastest variant that this CPU runs.
[[nodiscard]] PrimalKernel best_primal_kernel();
/// Every variant that this CPU runs, for tests. Not to be called while another thread asks for the best one.
[[nodiscard]] std::vector<PrimalKernel> all_primal_kernels();
/// The formulas above as plain loops.
[[nodiscard]] PrimalKernel reference_primal_kernel() noexcept;

}  // namespace headstart
