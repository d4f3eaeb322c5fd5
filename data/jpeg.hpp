// data/jpeg.hpp: JPEG bytes to RGB in their stored orientation, by TurboJPEG.
#pragma once

#include <cstddef>
#include <span>
#include <variant>

#include "data/decode.hpp"
#include "data/image_header.hpp"

namespace headstart {

/// Accurate integer DCT and smooth chroma upsampling, as TensorFlow's decode_jpeg has them by default; CMYK
/// and YCCK become RGB as it does that. Keeps nothing between calls.
/// @param header  of these bytes, within the caller's limit of pixels
[[nodiscard]] std::variant<DecodedImage, Reject> decode_jpeg(std::span<const std::byte> bytes,
                                                             const ImageHeader& header);

}  // namespace headstart
