// data/image/input_geometry.cpp: see input_geometry.hpp.
#include "data/image/input_geometry.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace headstart {
namespace {

/// (whole - part) / 2, where an odd half goes to the even neighbour.
std::int64_t central_start(std::int64_t whole, std::int64_t part) {
  const std::int64_t rest = whole - part;
  const std::int64_t half = rest / 2;
  return rest % 2 == 0 ? half : half + half % 2;
}

}  // namespace

ScaledSquare scaled_square(int height, int width, const ResizeOptions& options) {
  assert(height >= 1 && width >= 1);
  assert(options.size >= 1 && options.size <= kMaxSquareSize);
  assert(options.mode != ResizeMode::kCrop);
  assert(options.crop_share >= kMinCropShare && options.crop_share <= 1.0);
  const int size = options.size;
  if (options.mode == ResizeMode::kStretch) return {size, size, 0, 0, size};
  // The shorter side of the scaled image. The quotient is a double, as in Python.
  const auto side = static_cast<std::int64_t>(std::floor(size / options.crop_share));
  const int shorter = std::min(height, width);
  // torchvision divides doubles and drops the fraction. The product is below 2^53 for sides below 10^9
  // pixels, and then the double never rounds up to the next integer. Here the integers are divided.
  const auto scaled = [&](int length) { return length == shorter ? side : side * length / shorter; };
  const ScaledSquare whole{scaled(height), scaled(width), 0, 0, size};
  return {whole.height, whole.width, central_start(whole.height, size), central_start(whole.width, size),
          size};
}

}  // namespace headstart
