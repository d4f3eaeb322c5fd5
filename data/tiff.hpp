// data/tiff.hpp: the first page of a TIFF or BigTIFF file to RGB, in its stored orientation.
#pragma once

#include <cstddef>
#include <span>
#include <variant>

#include "data/decode.hpp"

namespace headstart {

/// Grey, RGB and CMYK of 1 to 16 unsigned bits, palettes of 1 to 8, CIE L*a*b* of 8, YCbCr; in strips or
/// tiles, channels together or apart, with alpha or without. Other kinds are rejected with their reason.
/// @param bytes    with a directory that image_header read
/// @param options  its limit of pixels bounds a tile too: one may be larger than the image
[[nodiscard]] std::variant<DecodedImage, Reject> decode_tiff(std::span<const std::byte> bytes,
                                                             const DecodeOptions& options);

}  // namespace headstart
