// features/engines/winograd/image_convolution.hpp: block1_conv1 and block1_conv2 in one. block1_conv1 is a
// direct convolution, because its three channels fill no channel block. The 64 channels of full size between
// the two layers would take 13 MB an image at 224 x 224. Instead a ring holds only the rows that one row of
// tiles reads.
#pragma once

#include <cstddef>

#include "features/engines/winograd/convolution.hpp"
#include "features/network/weights.hpp"
#include "memory/aligned_floats.hpp"

namespace headstart::winograd {

class ImageConvolution {
 public:
  /// @param weights  block1_conv1's: [3, 3, 3, out]
  /// @param next     block1_conv2, fused; its source is `between`
  ImageConvolution(const Kernels& kernels, const ConvolutionWeights& weights, int images, int size,
                   Convolution next, const ActivationMap& between);

  [[nodiscard]] WorkspaceSize workspace() const noexcept;

  /// @param batch  [images, size, size, 3]
  void run(const float* batch, float* destination, Workspace& workspace) const;

 private:
  void convolve_row(const float* image, std::size_t y, float* padded, float* ring) const;
  [[nodiscard]] std::size_t padded_row() const noexcept { return (size_ + 2) * 3; }

  Kernels kernels_;
  std::size_t images_;
  std::size_t size_;
  Convolution next_;
  ActivationMap between_;
  std::size_t ring_rows_;
  AlignedFloats weights_;  ///< [out / outputs][3, 3, 3][outputs]
  AlignedFloats bias_;
};

}  // namespace headstart::winograd
