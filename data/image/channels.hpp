// data/image/channels.hpp: interleaved bytes of one to four channels to RGB.
#pragma once

#include <cstdint>
#include <vector>

#include "data/image/decode.hpp"
#include "data/image/transparency.hpp"

namespace headstart {

/// Pixels with 1 to 4 channels: grey, grey and alpha, RGB, or RGB and alpha.
struct Channels {
  int height = 0;
  int width = 0;
  unsigned count = 1;
  Transparency transparency = Transparency::kOpaque;  ///< of the alpha channel, if there is one
  std::vector<std::uint8_t> bytes;                    ///< [height, width, count]
};

[[nodiscard]] RgbImage rgb_of(Channels channels, Alpha alpha);

}  // namespace headstart
