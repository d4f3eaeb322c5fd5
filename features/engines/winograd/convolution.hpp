// features/engines/winograd/convolution.hpp: a 3x3 convolution with stride 1 and padding "same" by F(m,3),
// with the bias, ReLU and 2x2 max-pool that may follow. Also its backward pass to the input, which is a
// convolution, too.
//
// Costs for VGG16 at 224 x 224. "direct" and "real": GFLOP an image, as a direct convolution and as
// multiplied here. (The transforms come on top: about a tenth in VGG block 1, a fiftieth in VGG block 5.)
// Then the megabytes that have to be read or written. The working set is the memory that a thread uses again
// and again. For fused layers it is V of 24 tiles and M of 16 outputs. Otherwise it is V and M of one of the
// points for eight images.
//
//                    F(m,3)  direct   real  weights MB  maps MB an image  working set
//   block1_conv2        6     3.70    0.76      1.0         25.7           480 KiB
//   block2_conv1        6     1.85    0.38      2.1          9.6           480 KiB
//   block2_conv2        6     3.70    0.76      4.2         12.8           864 KiB
//   block3_conv1        6     1.85    0.42      8.4          4.8           864 KiB
//   block3_conv2, 3     6     3.70    0.84     16.8          6.4           1.6 MiB
//   block4_conv1        6     1.85    0.42     33.6          2.4           600 KiB in phases
//   block4_conv2, 3     6     3.70    0.84     67.1          3.2           800 KiB in phases
//   block5_conv1 to 3   5     0.92    0.23     51.4          0.8           288 KiB in phases
//
// So batches of eight are limited by arithmetic: 6.8 GFLOP, 34 ms an image at 200 GFLOP/s. A single image is
// limited by memory: its 390 MB of weights in VGG blocks 4 and 5 take 20 ms at 20 GB/s. Measured:
// docs/convolution.md.
#pragma once

#include <cstddef>
#include <span>

#include "features/engines/winograd/activation_map.hpp"
#include "features/engines/winograd/kernels.hpp"
#include "features/engines/winograd/method.hpp"
#include "features/engines/winograd/tiles.hpp"
#include "features/engines/winograd/workspace.hpp"
#include "memory/aligned_floats.hpp"

namespace headstart::winograd {

/// The operations after the sums.
enum class Ending {
  kNone,
  kRelu,         ///< bias and ReLU
  kReluAndPool,  ///< the destination is the pooled map; only for even m
};

/// Whether a Convolution can compute a convolution of so many channels.
[[nodiscard]] constexpr bool can_convolve(int in_channels, int out_channels) noexcept {
  return in_channels % 16 == 0 && out_channels % 64 == 0;
}

class Convolution {
 public:
  /// Plans the convolution; set_weights() has to follow. can_convolve() has to hold for the channels.
  Convolution(const Kernels& kernels, const Method& method, int images, const ActivationMap& source,
              const ActivationMap& destination, Ending ending);

  /// Transforms weights. Call it inside of Workspace::execute().
  /// @param kernel  [3, 3, in, out], HWIO
  /// @param bias    [out]
  void set_weights(std::span<const float> kernel, std::span<const float> bias, Workspace& workspace);

  /// Like set_weights(), for the backward pass through a convolution with this kernel: rotated by 180
  /// degrees, in and out swapped, no bias.
  /// @param kernel  [3, 3, out, in], with in and out of this convolution
  void set_weights_of_way_back(std::span<const float> kernel, Workspace& workspace);

  [[nodiscard]] WorkspaceSize workspace() const noexcept;

  /// Computes all images. Call it inside of Workspace::execute().
  void run(const float* source, float* destination, Workspace& workspace) const;

  /// Computes one row of tiles of one image, for fused methods. Like run(), when the rows under the tiles are
  /// in a ring.
  void run_tile_row(const SourceRows& source, std::size_t image, std::size_t tile_row, float* destination,
                    float* scratch) const;

  [[nodiscard]] std::size_t tile_rows() const noexcept { return grid_.rows; }
  /// How many rows of the source a row of tiles reads.
  [[nodiscard]] std::size_t tile_inputs() const noexcept { return grid_.outputs + 2; }

 private:
  [[nodiscard]] std::size_t in() const noexcept { return source_.blocks() * kBlock; }
  [[nodiscard]] std::size_t out() const noexcept { return groups_ * kernels_.outputs; }
  /// Transforms the weights from `channel` on and writes them to their place in the group's weights.
  void transform_weights(WeightRun run, std::size_t channel, std::size_t group);
  void run_fused(const SourceRows& source, std::size_t first_tile, std::size_t tiles, float* destination,
                 float* scratch) const;
  void run_phases(const SourceRows& source, std::size_t first_image, std::size_t images, float* destination,
                  Workspace& workspace) const;
  [[nodiscard]] TileTransform input_transform(const SourceRows& source, std::size_t first_tile,
                                              const TileParts& parts, float* transformed,
                                              std::size_t point_stride) const;
  void transform_output(std::size_t group, std::size_t first_tile, std::size_t tiles, const float* products,
                        std::size_t point_stride, float* destination) const;

  Kernels kernels_;
  Method method_;
  std::size_t images_;
  ActivationMap source_;
  ActivationMap destination_;
  Ending ending_;
  TileGrid grid_;
  std::size_t groups_;     ///< of Kernels::outputs output channels
  AlignedFloats weights_;  ///< fused: [group][point][in][outputs], else [point][group][in][outputs]
  AlignedFloats bias_;
};

}  // namespace headstart::winograd
