// data/jpeg.hpp: JPEG bytes to RGB in their stored orientation, and back, by libjpeg-turbo.
#pragma once

#include <cstddef>
#include <span>
#include <variant>
#include <vector>

#include "data/decode.hpp"
#include "data/image_header.hpp"
#include "data/rgb_image.hpp"

namespace headstart {

/// Accurate integer DCT and smooth chroma upsampling, as TensorFlow's decode_jpeg has them by default; CMYK
/// and YCCK become RGB as it does that. Rejected is what libjpeg gives up on, or ends before its end-of-image
/// marker; libjpeg's first other warning is the note.
/// @param header   of these bytes, within the caller's limit of pixels
/// @param divisor  1, 2, 4 or 8: both sides come divided by it, rounded up, by a smaller inverse DCT
[[nodiscard]] std::variant<DecodedImage, Reject> decode_jpeg(std::span<const std::byte> bytes,
                                                             const ImageHeader& header, int divisor = 1);

/// The image as a JPEG file, chroma at half the resolution. @param quality  1..100, libjpeg's
[[nodiscard]] std::vector<std::byte> encode_jpeg(const RgbImage& image, int quality);

}  // namespace headstart
