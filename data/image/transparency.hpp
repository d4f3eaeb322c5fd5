// data/image/transparency.hpp: how colours and alpha relate, and how a colour looks over white.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/image/decode.hpp"

namespace headstart {

/// The relation between the colours of a file and its fourth channel.
enum class Transparency {
  kOpaque,         ///< the fourth channel has no meaning
  kStraight,       ///< colours are stored as they are (unassociated alpha)
  kPremultiplied,  ///< colours are stored times alpha (associated alpha)
};

/// An 8-bit colour over white: rounded to nearest, exact for alpha 0 and 255.
[[nodiscard]] constexpr std::uint8_t over_white(unsigned colour, unsigned alpha, Transparency transparency) {
  if (transparency == Transparency::kPremultiplied) {
    const unsigned sum = colour + 255U - alpha;
    return static_cast<std::uint8_t>(sum < 255U ? sum : 255U);
  }
  return static_cast<std::uint8_t>((colour * alpha + 255U * (255U - alpha) + 127U) / 255U);
}

/// RGB of RGBA with straight alpha: composed over white, or without the alpha.
[[nodiscard]] std::vector<std::uint8_t> rgb_of(std::span<const std::uint8_t> rgba, Alpha alpha);

}  // namespace headstart
