// data/image/rgb_image.hpp: an 8-bit RGB image in memory; interleaved, rows from the top.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace headstart {

/// Values of a pixel.
inline constexpr std::size_t kRgbChannels = 3;

/// 8-bit RGB; pixels[(y * width + x) * 3 + channel].
struct RgbImage {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;

  bool operator==(const RgbImage&) const = default;
};

}  // namespace headstart
