// data/webp.hpp: WebP bytes to RGB.
#pragma once

#include <cstddef>
#include <span>
#include <variant>

#include "data/decode.hpp"

namespace headstart {

/// Lossy or lossless, with alpha or without; an animation is rejected.
/// @param bytes  RIFF....WEBP
[[nodiscard]] std::variant<RgbImage, Reject> decode_webp(std::span<const std::byte> bytes, Alpha alpha);

}  // namespace headstart
