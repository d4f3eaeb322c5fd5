// features/winograd/kernels.hpp: the inner loops of the convolutions, in SIMD for every CPU (Google Highway,
// chosen at run time). No allocation, no I/O, no locks: pointers in and out, as the caller has laid out the
// memory. All arrays are float32 and begin on a cache line.
//
// Activations are stored in blocks of 16 channels, [channel / 16][row][column][16], with columns of zeros
// around each row, so that no kernel asks where a map ends; a row above or below the map is a row of zeros.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "features/winograd/cook_toom.hpp"

namespace headstart::winograd {

/// Channels that lie next to one another: a cache line of floats, and the widest vector.
inline constexpr std::size_t kBlock = 16;
/// The largest Kernels::outputs.
inline constexpr std::size_t kMaxOutputChannels = 2 * kBlock;

/// Where a transformed tile goes: its first point and block, and how far it is to the next block.
struct TilePlace {
  float* transformed = nullptr;
  std::size_t block_stride = 0;
};

/// B^T d B of tiles that lie side by side, for all blocks of channels; or A d A^T of the way back, whose
/// tiles have no border: m rows and columns.
struct InputRun {
  const float* rows[kMaxInputs] = {};          ///< leftmost pixel of the first tile, first block
  std::ptrdiff_t block_step[kMaxInputs] = {};  ///< floats to the next block; 0 for a row of zeros
  std::size_t tiles = 0;
  std::size_t blocks = 0;
  const TilePlace* places = nullptr;  ///< of each tile
  std::size_t point_stride = 0;       ///< floats
};

/// The innermost loop takes a part of the tiles, as many as registers hold: as few parts as that allows, of
/// sizes that differ by one at most.
struct TileParts {
  std::size_t tiles = 0;
  std::size_t parts = 0;

  TileParts(std::size_t all, std::size_t at_once) noexcept
      : tiles(all), parts((all + at_once - 1) / at_once) {}
  [[nodiscard]] std::size_t first(std::size_t part) const noexcept { return part * tiles / parts; }
};

/// For each point: [tiles, in] times [in, outputs]. A part's inputs lie in the order in which they are read,
/// so that the hardware fetches ahead of it.
struct Product {
  const float* transformed = nullptr;  ///< [point][part][in / 16][tile of the part][16]
  std::size_t transformed_point_stride = 0;
  const float* weights = nullptr;  ///< [point][in][outputs], outputs = Kernels::outputs
  std::size_t weights_point_stride = 0;
  float* products = nullptr;  ///< [point][tile][outputs]
  std::size_t products_point_stride = 0;
  std::size_t points = 0;
  std::size_t tiles = 0;
  std::size_t blocks = 0;  ///< in / 16
};

/// A^T M A of tiles that lie side by side, plus bias, at least `least`, for Kernels::outputs channels.
struct OutputRun {
  const float* products = nullptr;  ///< of the first tile: [point][tile][outputs]
  std::size_t point_stride = 0;
  const float* bias = nullptr;  ///< [outputs]
  float least = 0.0F;           ///< 0 is ReLU, minus infinity nothing
  std::size_t tiles = 0;
  float* destination = nullptr;  ///< pixel of the first tile, first of the blocks
  std::size_t block_stride = 0;
  std::size_t row_stride = 0;
  // What lies in the map, from the first tile's first pixel on; pixels of the pooled map, if it is pooled.
  std::size_t rows = 0;
  std::size_t columns = 0;
  // Columns that are to be zero, before the first and after the last.
  std::size_t zeros_before = 0;
  std::size_t zeros_after = 0;
};

/// A row of block1_conv1, which has three channels, with ReLU.
struct ImageRow {
  const float* rows[3] = {};       ///< above, at and below: [1 + columns + 1, 3], zeros at both ends
  const float* weights = nullptr;  ///< [out / outputs][3, 3, 3][outputs]
  const float* bias = nullptr;     ///< [out]
  std::size_t columns = 0;
  std::size_t out_channels = 0;
  float* destination = nullptr;  ///< first pixel, first block
  std::size_t block_stride = 0;
};

/// Two rows to one, 2 x 2 maxima of one block.
struct PoolRow {
  const float* rows[2] = {};
  std::size_t columns = 0;  ///< of the pooled row
  float* destination = nullptr;
};

/// U = G g G^T of some input channels, for Kernels::outputs outputs, which lie side by side in both.
struct WeightRun {
  const float* kernel = nullptr;  ///< the first tap of 3 x 3, first channel
  std::size_t tap_stride = 0;
  std::size_t channel_stride = 0;
  std::size_t channels = 0;
  float* transformed = nullptr;  ///< [point][channel][outputs]
  std::size_t point_stride = 0;
};

/// dW = G^T dU G, the other way.
struct WeightGradientRun {
  const float* transformed = nullptr;
  std::size_t point_stride = 0;
  std::size_t channels = 0;
  float* kernel = nullptr;
  std::size_t tap_stride = 0;
  std::size_t channel_stride = 0;
};

/// dU at one point, of a block of input channels and Kernels::outputs outputs: [16, tiles] times
/// [tiles, outputs].
struct GradientProduct {
  const float* transformed = nullptr;  ///< B^T d B: [tile][16]
  const float* gradients = nullptr;    ///< A D A^T: [out / 16][tile][16]
  std::size_t gradients_block_stride = 0;
  std::size_t tiles = 0;
  float* sums = nullptr;  ///< [16][outputs]
  bool add = false;       ///< to what is there
};

/// One row of one block on the way back through ReLU: D = G where Y > 0, else 0.
struct GateRow {
  const float* outputs = nullptr;  ///< Y
  float* gradients = nullptr;      ///< G, then D
  std::size_t columns = 0;
  float* sums = nullptr;  ///< [16], of the row's D
};

/// The same through a pool and the ReLU before it, two rows from one: of a window, the first largest takes
/// the gradient.
struct UnpoolRow {
  const float* outputs[2] = {};   ///< Y
  const float* pooled = nullptr;  ///< G behind the pool
  std::size_t columns = 0;        ///< of the pooled row
  float* gradients[2] = {};       ///< D
  float* sums = nullptr;          ///< [16], of both rows' D
};

/// The kernels of one instruction set. `outputs` is how many output channels one product makes at a time,
/// `tiles` how many tiles its innermost loop holds in registers; both follow from its registers.
struct Kernels {
  std::string_view target;  ///< "AVX2", "AVX-512", or Highway's name of another one
  bool is_fused = false;    ///< a product and a sum are rounded once: all such sets give the same bits
  std::size_t outputs = 0;
  std::size_t tiles = 0;
  void (*transform_input[kMaxOutputs + 1])(const InputRun&) = {};  ///< by m of F(m,3)
  void (*multiply)(const Product&) = nullptr;
  void (*transform_output[kMaxOutputs + 1])(const OutputRun&) = {};
  void (*transform_output_and_pool[kMaxOutputs + 1])(const OutputRun&) = {};  ///< none for odd m
  void (*convolve_image_row)(const ImageRow&) = nullptr;
  void (*pool_row)(const PoolRow&) = nullptr;
  void (*transform_weights[kMaxOutputs + 1])(const WeightRun&) = {};
  // The way back.
  void (*transform_gradient[kMaxOutputs + 1])(const InputRun&) = {};
  void (*multiply_gradient)(const GradientProduct&) = nullptr;
  void (*transform_weight_gradients[kMaxOutputs + 1])(const WeightGradientRun&) = {};
  void (*gate_row)(const GateRow&) = nullptr;
  void (*unpool_row)(const UnpoolRow&) = nullptr;
};

/// Of the best instruction set of this CPU.
[[nodiscard]] Kernels best_kernels();

/// Of every instruction set that was compiled and runs here, for tests.
[[nodiscard]] std::vector<Kernels> all_kernels();

}  // namespace headstart::winograd
