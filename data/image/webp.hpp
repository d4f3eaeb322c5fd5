// data/image/webp.hpp: WebP bytes to RGB in their stored orientation, by libwebp.
#pragma once

#include <cstddef>
#include <span>
#include <variant>

#include "data/image/decode.hpp"
#include "data/image/image_header.hpp"

namespace headstart {

/// Reads lossy and lossless WebP, with or without alpha. An animation gives its first picture; the canvas is
/// transparent where that picture does not reach.
/// @param header  of these bytes, within the caller's limit of pixels
[[nodiscard]] std::variant<RgbImage, Reject> decode_webp(std::span<const std::byte> bytes,
                                                         const ImageHeader& header, Alpha alpha);

}  // namespace headstart
