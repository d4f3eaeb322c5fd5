// data/tiff.hpp: the first page of a TIFF file to RGB, in its stored orientation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "data/decode.hpp"

namespace headstart {

/// 1, 4 (palette), 8 and 16 bits; grey, palette, RGB, RGBA, YCbCr, CMYK; other kinds are rejected with their
/// reason.
/// @param bytes       with a directory that image_header read
/// @param max_pixels  bounds a tile too: one may be larger than the image
[[nodiscard]] std::variant<RgbImage, Reject> decode_tiff(std::span<const std::byte> bytes,
                                                         std::uint64_t max_pixels, Alpha alpha);

}  // namespace headstart
