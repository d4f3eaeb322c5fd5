// data/image/jpeg.hpp: JPEG bytes to RGB in their stored orientation, and back, by libjpeg-turbo.
#pragma once

#include <cstddef>
#include <span>
#include <variant>
#include <vector>

#include "data/image/decode.hpp"
#include "data/image/image_header.hpp"
#include "data/image/rgb_image.hpp"

namespace headstart {

/// Decodes with accurate integer DCT and smooth chroma upsampling, the defaults of TensorFlow's decode_jpeg.
/// CMYK and YCCK become RGB as in TensorFlow. Rejects a JPEG that libjpeg can't decode, or that ends before
/// its end-of-image marker. The first other warning of libjpeg is the note.
/// @param header   of these bytes, within the caller's limit of pixels
/// @param divisor  1, 2, 4 or 8: a smaller inverse DCT divides both sides by it, rounded up
[[nodiscard]] std::variant<DecodedImage, Reject> decode_jpeg(std::span<const std::byte> bytes,
                                                             const ImageHeader& header, int divisor = 1);

/// The image as a JPEG file, with chroma at half the resolution. @param quality  1..100, libjpeg's
[[nodiscard]] std::vector<std::byte> encode_jpeg(const RgbImage& image, int quality);

}  // namespace headstart
