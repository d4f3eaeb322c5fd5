// data/opencv_decode.hpp: OpenCV's image decoders behind one function that neither throws nor prints.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "data/decode.hpp"

namespace headstart {

/// How the colours of a file relate to its fourth channel.
enum class Transparency {
  kOpaque,         ///< a fourth channel means nothing
  kStraight,       ///< colours are stored as they are (unassociated alpha)
  kPremultiplied,  ///< colours are stored times alpha (associated alpha)
};

/// What a file's header says about its pixels and OpenCV does not pass on.
struct StoredPixels {
  std::string_view format_name;
  Transparency transparency = Transparency::kOpaque;
  unsigned significant_bits = 16;  ///< of a 16-bit sample
  bool inverted = false;           ///< 0 is white
};

/// Decodes what OpenCV recognises by its first bytes, in the stored orientation.
/// 8-bit and 16-bit images of one, three or four channels; everything else is a Reject.
[[nodiscard]] std::variant<RgbImage, Reject> decode_with_opencv(std::span<const std::byte> bytes,
                                                                const StoredPixels& stored, Alpha alpha);

/// An 8-bit colour over white: rounded to nearest, exact for alpha 0 and 255.
[[nodiscard]] constexpr std::uint8_t over_white(unsigned colour, unsigned alpha, Transparency transparency) {
  if (transparency == Transparency::kPremultiplied) {
    const unsigned sum = colour + 255U - alpha;
    return static_cast<std::uint8_t>(sum < 255U ? sum : 255U);
  }
  return static_cast<std::uint8_t>((colour * alpha + 255U * (255U - alpha) + 127U) / 255U);
}

}  // namespace headstart
