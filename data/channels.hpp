// data/channels.hpp: interleaved bytes of one to four channels to RGB.
#pragma once

#include <cstdint>
#include <vector>

#include "data/decode.hpp"
#include "data/transparency.hpp"

namespace headstart {

/// Grey, grey and alpha, RGB, or RGB and alpha, by the number of channels.
struct Channels {
  int height = 0;
  int width = 0;
  unsigned count = 1;
  Transparency transparency = Transparency::kOpaque;  ///< of an alpha channel
  std::vector<std::uint8_t> bytes;                    ///< [height, width, count]
};

[[nodiscard]] RgbImage rgb_of(Channels channels, Alpha alpha);

}  // namespace headstart
