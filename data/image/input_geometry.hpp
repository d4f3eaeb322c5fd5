// data/image/input_geometry.hpp: which part of an image becomes a network's square input, and at which scale.
// The rules are torchvision's Resize and CenterCrop, as torchvision's and timm's networks were evaluated.
// Keras's rules are another method: data/image/resize.cpp.
#pragma once

#include <cstdint>

#include "data/image/resize_options.hpp"

namespace headstart {

/// The largest input that the rules are exact for, in pixels.
inline constexpr int kMaxSquareSize = 65'536;

/// A square of an image that was scaled. The scaled image need not exist: one side of it may be longer than
/// memory has room for.
struct ScaledSquare {
  std::int64_t height = 0;  ///< of the whole scaled image
  std::int64_t width = 0;
  std::int64_t top = 0;  ///< of the square's first row in it
  std::int64_t left = 0;
  int size = 0;  ///< rows and columns of the square, which lies within the scaled image

  bool operator==(const ScaledSquare&) const = default;
};

/// The square that becomes the network's input: of kStretch the whole image, scaled. Of kShorterSide, with
/// s = floor(size / crop_share):
///   longer side = floor(s * longer / shorter)
///   top = (height - size) / 2, an odd half rounded to the even neighbour, as Python's round(); left likewise
/// Note: timm does the same for square inputs (crop_mode "center"). Its ResizeKeepRatio rounds the longer
/// side instead, but runs only for other shapes. Its "squash" is kStretch if crop_pct is 1. "border" is not
/// here.
/// @param height, width  of the image, at least 1
/// @param options        kStretch or kShorterSide; size 1 to kMaxSquareSize
[[nodiscard]] ScaledSquare scaled_square(int height, int width, const ResizeOptions& options);

}  // namespace headstart
