// data/image/gif.hpp: GIF bytes to RGB, by giflib.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "data/image/decode.hpp"
#include "data/image/image_header.hpp"

namespace headstart {

/// Whether a file begins like a GIF.
[[nodiscard]] bool is_gif(std::span<const std::byte> bytes);

/// The size of a canvas that holds the first picture. Nothing has to be decoded to find it.
struct GifCanvas {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
};

/// The canvas of the header, enlarged if the first picture does not fit in. Nothing if the bytes end before
/// that picture, or there is no picture.
[[nodiscard]] std::optional<GifCanvas> read_gif_canvas(std::span<const std::byte> bytes);

/// The first picture on its canvas. The canvas around the picture is transparent if the picture has a
/// transparent colour. Otherwise it has the first colour of the palette, as in Pillow.
/// @param header  of these bytes, within the caller's limit of pixels
[[nodiscard]] std::variant<RgbImage, Reject> decode_gif(std::span<const std::byte> bytes,
                                                        const ImageHeader& header, Alpha alpha);

}  // namespace headstart
