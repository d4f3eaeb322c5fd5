// data/image/input_geometry.hpp: which part of an image becomes a network's square input, and at which scale.
// The rules are torchvision's Resize and CenterCrop, as torchvision's and timm's networks were evaluated.
// Keras's rules are another method: data/image/resize.hpp.
#pragma once

#include <cstdint>
#include <string_view>

namespace headstart {

/// How an image that is not square becomes square.
enum class InputFit {
  kStretch,      ///< the whole image becomes size x size, aspect ratio not kept
  kCrop,         ///< the shorter side becomes floor(size / crop_share), then the central square is cut
  kShorterSide,  ///< the shorter side becomes size, then the central square is cut: kCrop of share 1
};

/// The word for it on the command line and in files.
[[nodiscard]] constexpr std::string_view to_string(InputFit fit) noexcept {
  switch (fit) {
    case InputFit::kStretch:
      return "stretch";
    case InputFit::kCrop:
      return "crop";
    case InputFit::kShorterSide:
      return "shorter-side";
  }
  return {};
}

/// The least share that a crop may keep. Below it the scaled image would be larger than numbers can say.
inline constexpr double kMinCropShare = 0.01;
/// The largest input that the rules are exact for, in pixels.
inline constexpr int kMaxSquareSize = 65'536;

/// How an image of any size becomes a square.
struct InputGeometry {
  int size = 224;  ///< height and width of the result, 1 to kMaxSquareSize
  InputFit fit = InputFit::kCrop;
  double crop_share = 0.875;  ///< timm's crop_pct, kMinCropShare to 1; only kCrop uses it

  bool operator==(const InputGeometry&) const = default;
};

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

/// The square that becomes the network's input. With s = floor(size / crop_share):
///   longer side = floor(s * longer / shorter)
///   top = (height - size) / 2, an odd half rounded to the even neighbour, as Python's round(); left likewise
/// Note: timm does the same for square inputs (crop_mode "center"). Its ResizeKeepRatio rounds the longer
/// side instead, but runs only for other shapes. Its "squash" is kStretch if crop_pct is 1. "border" is not
/// here.
/// @param height, width  of the image, at least 1
[[nodiscard]] ScaledSquare scaled_square(int height, int width, const InputGeometry& geometry);

}  // namespace headstart
