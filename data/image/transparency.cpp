// data/image/transparency.cpp
#include "data/image/transparency.hpp"

namespace headstart {

std::vector<std::uint8_t> rgb_of(std::span<const std::uint8_t> rgba, Alpha alpha) {
  std::vector<std::uint8_t> rgb(rgba.size() / 4 * 3);
  std::uint8_t* out = rgb.data();
  for (std::size_t i = 0; i + 3 < rgba.size(); i += 4) {
    const unsigned opacity = alpha == Alpha::kDrop ? 255U : rgba[i + 3];
    for (std::size_t channel = 0; channel < 3; ++channel)
      *out++ = over_white(rgba[i + channel], opacity, Transparency::kStraight);
  }
  return rgb;
}

}  // namespace headstart
