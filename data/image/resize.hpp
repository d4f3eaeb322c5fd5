// data/image/resize.hpp: 8-bit RGB to a square float image. The computation is in float and is never rounded
// back.
#pragma once

#include <span>
#include <string_view>

#include "data/image/rgb_image.hpp"

namespace headstart {

/// How an image that is not square becomes square.
enum class ResizeMode {
  kStretch,  ///< the whole image, aspect ratio not kept (Keras's default)
  kCrop,     ///< the largest centred square first (Keras's crop_to_aspect_ratio)
};

/// The word for it on the command line and in files.
[[nodiscard]] constexpr std::string_view to_string(ResizeMode mode) noexcept {
  switch (mode) {
    case ResizeMode::kStretch:
      return "stretch";
    case ResizeMode::kCrop:
      return "crop";
  }
  return {};
}

/// How pixels are resampled.
enum class Interpolation { kBilinear, kNearest };

/// The word for it on the command line and in files.
[[nodiscard]] constexpr std::string_view to_string(Interpolation interpolation) noexcept {
  switch (interpolation) {
    case Interpolation::kBilinear:
      return "bilinear";
    case Interpolation::kNearest:
      return "nearest";
  }
  return {};
}

/// How an image of any size becomes the network's square input.
struct ResizeOptions {
  int size = 224;  ///< height and width of the result
  ResizeMode mode = ResizeMode::kStretch;
  Interpolation interpolation = Interpolation::kBilinear;

  bool operator==(const ResizeOptions&) const = default;
};

/// Half-pixel centres, no antialiasing. Agrees with tf.image.resize(antialias=False) within 1e-2 of 255, and
/// in fact to float rounding.
///   in = (out + 0.5) * in_size / out_size - 0.5
///   lower = max(floor(in), 0),  upper = min(ceil(in), in_size - 1)
///   value = top + (bottom - top) * fraction(in_y), each of top and bottom likewise along x
/// kNearest takes the pixel at min(floor((out + 0.5) * in_size / out_size), in_size - 1).
/// @param image  at least 1 x 1
/// @param out    [size, size, 3] RGB, 0..255
void resize(const RgbImage& image, const ResizeOptions& options, std::span<float> out);

}  // namespace headstart
