// data/opencv_decode.hpp: OpenCV's image decoders behind one function that neither throws nor prints.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <variant>

#include "data/decode.hpp"
#include "data/transparency.hpp"

namespace headstart {

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

}  // namespace headstart
