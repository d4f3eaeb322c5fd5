// data/image/png.hpp: PNG chunks, and PNG bytes to RGB in their stored orientation and back.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "data/image/decode.hpp"
#include "data/image/rgb_image.hpp"

namespace headstart {

inline constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1A\n";

/// The contents of the first eXIf chunk; empty if there is none.
[[nodiscard]] std::span<const std::byte> png_exif(std::span<const std::byte> file);

/// Palettes become colours. Transparency of every kind (alpha channel, palette entries, one transparent
/// colour) is composed or dropped. An animation gives its default image. Colour profiles and gamma are not
/// applied.
/// @param file  starts with kPngSignature
[[nodiscard]] std::variant<DecodedImage, Reject> decode_png(std::span<const std::byte> file,
                                                            const DecodeOptions& options);

/// The image as a PNG file.
[[nodiscard]] std::vector<std::byte> encode_png(const RgbImage& image);

}  // namespace headstart
