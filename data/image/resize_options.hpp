// data/image/resize_options.hpp: how an image of any size becomes the network's square input.
#pragma once

#include <string_view>

namespace headstart {

/// How an image that is not square becomes square.
enum class ResizeMode {
  kStretch,      ///< the whole image, aspect ratio not kept (Keras's default)
  kCrop,         ///< the largest centred square first (Keras's crop_to_aspect_ratio)
  kShorterSide,  ///< the shorter side becomes floor(size / crop_share), then the centred square is cut
};

/// The word for it on the command line and in files.
[[nodiscard]] constexpr std::string_view to_string(ResizeMode mode) noexcept {
  switch (mode) {
    case ResizeMode::kStretch:
      return "stretch";
    case ResizeMode::kCrop:
      return "crop";
    case ResizeMode::kShorterSide:
      return "shorter-side";
  }
  return {};
}

/// Which pixels a result pixel is made of.
enum class Interpolation {
  kBilinear,  ///< a triangle, one pixel to each side
  kNearest,   ///< the one below its centre
  kBicubic,   ///< Keys's cubic convolution, two pixels to each side
};

/// The word for it on the command line and in files.
[[nodiscard]] constexpr std::string_view to_string(Interpolation interpolation) noexcept {
  switch (interpolation) {
    case Interpolation::kBilinear:
      return "bilinear";
    case Interpolation::kNearest:
      return "nearest";
    case Interpolation::kBicubic:
      return "bicubic";
  }
  return {};
}

/// The least share that a crop may keep. Below it the scaled image would be larger than numbers can say.
inline constexpr double kMinCropShare = 0.01;
/// Whether a crop may keep this share.
[[nodiscard]] constexpr bool is_crop_share(double share) noexcept {
  return share >= kMinCropShare && share <= 1.0;
}

/// How an image of any size becomes a square.
struct ResizeOptions {
  int size = 224;  ///< height and width of the result
  ResizeMode mode = ResizeMode::kStretch;
  Interpolation interpolation = Interpolation::kBilinear;
  double crop_share = 1.0;  ///< of kShorterSide: timm's crop_pct, kMinCropShare to 1
  bool antialias = false;   ///< as Pillow does it: where the image is reduced, every pixel counts

  bool operator==(const ResizeOptions&) const = default;
};

}  // namespace headstart
