// data/image/channels.cpp
#include "data/image/channels.hpp"

#include <cstddef>
#include <utility>

namespace headstart {

RgbImage rgb_of(Channels channels, Alpha alpha) {
  RgbImage image{channels.height, channels.width, {}};
  if (channels.count == 3) {
    image.pixels = std::move(channels.bytes);
    return image;
  }
  const std::size_t count = channels.count;
  const bool has_alpha = count % 2 == 0;
  const bool composes = has_alpha && alpha == Alpha::kWhite && channels.transparency != Transparency::kOpaque;
  image.pixels.resize(channels.bytes.size() / count * 3);
  std::uint8_t* out = image.pixels.data();
  for (std::size_t i = 0; i + count <= channels.bytes.size(); i += count) {
    const unsigned opacity = composes ? channels.bytes[i + count - 1] : 255U;
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const std::uint8_t colour = channels.bytes[i + (count < 3 ? 0 : channel)];
      *out++ = composes ? over_white(colour, opacity, channels.transparency) : colour;
    }
  }
  return image;
}

}  // namespace headstart
