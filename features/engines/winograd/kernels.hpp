// features/engines/winograd/kernels.hpp: the compute routines of the convolutions, in SIMD for every CPU
// (Google Highway, chosen at run time). No allocation, no I/O, no locks: a routine takes and fills pointers,
// and the caller lays out the memory. All arrays are float32 and begin on a cache line.
//
// Activations are stored in channel blocks of 16 channels: [channel / 16][row][column][16]. Columns of zeros
// surround each row, so that no routine checks where a map ends. A row above or below the map is a row of
// zeros.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "features/engines/winograd/cook_toom.hpp"

namespace headstart::winograd {

/// Channels that lie next to one another (a channel block): a cache line of floats, and the widest vector.
inline constexpr std::size_t kBlock = 16;
/// The largest Kernels::outputs.
inline constexpr std::size_t kMaxOutputChannels = 2 * kBlock;

/// The place of a transformed tile: its first point and channel block, and the distance to the next channel
/// block.
struct TilePlace {
  float* transformed = nullptr;
  std::size_t block_stride = 0;
};

/// Transforms tiles that lie side by side, for all channel blocks. Computes B^T d B; in the backward pass A d
/// A^T, whose tiles have no border: m rows and columns.
struct InputRun {
  const float* rows[kMaxInputs] = {};          ///< leftmost pixel of the first tile, first channel block
  std::ptrdiff_t block_step[kMaxInputs] = {};  ///< floats to the next channel block; 0 for a row of zeros
  std::size_t tiles = 0;
  std::size_t blocks = 0;
  const TilePlace* places = nullptr;  ///< of each tile
  std::size_t point_stride = 0;       ///< floats
};

/// The parts of the tiles. The innermost loop takes one part, at most as many tiles as registers hold. There
/// are as few parts as possible, and their sizes differ by one at most.
struct TileParts {
  std::size_t tiles = 0;
  std::size_t parts = 0;

  TileParts(std::size_t all, std::size_t at_once) noexcept
      : tiles(all), parts((all + at_once - 1) / at_once) {}
  [[nodiscard]] std::size_t first(std::size_t part) const noexcept { return part * tiles / parts; }
};

/// Product, for each point: [tiles, in] times [in, outputs]. The inputs of a part lie in the order in which
/// they are read, so that the hardware can prefetch them.
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

/// Computes A^T M A plus bias, at least `least`, of tiles that lie side by side, for Kernels::outputs
/// channels.
struct OutputRun {
  const float* products = nullptr;  ///< of the first tile: [point][tile][outputs]
  std::size_t point_stride = 0;
  const float* bias = nullptr;  ///< [outputs]
  float least = 0.0F;           ///< 0: ReLU; minus infinity: no limit
  std::size_t tiles = 0;
  float* destination = nullptr;  ///< pixel of the first tile, first channel block
  std::size_t block_stride = 0;
  std::size_t row_stride = 0;
  // The part inside the map, from the first tile's first pixel on; in pixels of the pooled map if the result
  // is pooled.
  std::size_t rows = 0;
  std::size_t columns = 0;
  // How many columns become zero, before the first and after the last.
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
  float* destination = nullptr;  ///< first pixel, first channel block
  std::size_t block_stride = 0;
};

/// Pools two rows to one: 2 x 2 maxima of one channel block.
struct PoolRow {
  const float* rows[2] = {};
  std::size_t columns = 0;  ///< of the pooled row
  float* destination = nullptr;
};

/// U = G g G^T of some input channels, for Kernels::outputs outputs that lie side by side in both arrays.
struct WeightRun {
  const float* kernel = nullptr;  ///< the first tap of 3 x 3, first channel
  std::size_t tap_stride = 0;
  std::size_t channel_stride = 0;
  std::size_t channels = 0;
  float* transformed = nullptr;  ///< [point][channel][outputs]
  std::size_t point_stride = 0;
};

/// dW = G^T dU G, the reverse direction.
struct WeightGradientRun {
  const float* transformed = nullptr;
  std::size_t point_stride = 0;
  std::size_t channels = 0;
  float* kernel = nullptr;
  std::size_t tap_stride = 0;
  std::size_t channel_stride = 0;
};

/// dU at one point, for a channel block of input channels and Kernels::outputs outputs: [16, tiles] times
/// [tiles, outputs].
struct GradientProduct {
  const float* transformed = nullptr;  ///< B^T d B: [tile][16]
  const float* gradients = nullptr;    ///< A D A^T: [out / 16][tile][16]
  std::size_t gradients_block_stride = 0;
  std::size_t tiles = 0;
  float* sums = nullptr;  ///< [16][outputs]
  bool add = false;       ///< add to the present values
};

/// One row of one channel block in the backward pass through ReLU: D = G where Y > 0, else 0.
struct GateRow {
  const float* outputs = nullptr;  ///< Y
  float* gradients = nullptr;      ///< G, then D
  std::size_t columns = 0;
  float* sums = nullptr;  ///< [16], of the row's D
};

/// Like GateRow, through a pool and the ReLU before it: one row becomes two. In each window, the first
/// largest value takes the gradient.
struct UnpoolRow {
  const float* outputs[2] = {};   ///< Y
  const float* pooled = nullptr;  ///< G, the gradient of the pool's output
  std::size_t columns = 0;        ///< of the pooled row
  float* gradients[2] = {};       ///< D
  float* sums = nullptr;          ///< [16], of both rows' D
};

/// The compute routines of one instruction set. `outputs` is how many output channels one product makes at a
/// time. `tiles` is how many tiles its innermost loop holds in registers. Both follow from the number of
/// registers.
struct Kernels {
  std::string_view target;  ///< "AVX2", "AVX-512", or Highway's name of another one
  bool is_fused = false;    ///< multiply-add rounds once; all such sets give exactly the same results
  std::size_t outputs = 0;
  std::size_t tiles = 0;
  void (*transform_input[kMaxOutputs + 1])(const InputRun&) = {};  ///< by m of F(m,3)
  void (*multiply)(const Product&) = nullptr;
  void (*transform_output[kMaxOutputs + 1])(const OutputRun&) = {};
  void (*transform_output_and_pool[kMaxOutputs + 1])(const OutputRun&) = {};  ///< none for odd m
  void (*convolve_image_row)(const ImageRow&) = nullptr;
  void (*pool_row)(const PoolRow&) = nullptr;
  void (*transform_weights[kMaxOutputs + 1])(const WeightRun&) = {};
  // The backward pass.
  void (*transform_gradient[kMaxOutputs + 1])(const InputRun&) = {};
  void (*multiply_gradient)(const GradientProduct&) = nullptr;
  void (*transform_weight_gradients[kMaxOutputs + 1])(const WeightGradientRun&) = {};
  void (*gate_row)(const GateRow&) = nullptr;
  void (*unpool_row)(const UnpoolRow&) = nullptr;
};

/// The routines of the best instruction set of this CPU.
[[nodiscard]] Kernels best_kernels();

/// The routines of every instruction set that was compiled and runs here, for tests.
[[nodiscard]] std::vector<Kernels> all_kernels();

}  // namespace headstart::winograd
