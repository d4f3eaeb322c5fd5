// data/image/tiff.hpp: the first page of a TIFF or BigTIFF file to RGB, in its stored orientation.
#pragma once

#include <cstddef>
#include <span>
#include <variant>

#include "data/image/decode.hpp"

namespace headstart {

/// Reads grey, RGB and CMYK of 1 to 16 unsigned bits, palettes of 1 to 8, CIE L*a*b* of 8, and YCbCr. Pixels
/// may be in strips or tiles, with channels together or apart, with or without alpha. Other kinds are
/// rejected with their reason.
/// @param bytes    with a directory that read_image_header() could read
/// @param options  its limit of pixels also bounds a tile, which may be larger than the image
[[nodiscard]] std::variant<DecodedImage, Reject> decode_tiff(std::span<const std::byte> bytes,
                                                             const DecodeOptions& options);

}  // namespace headstart
