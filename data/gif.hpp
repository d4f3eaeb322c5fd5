// data/gif.hpp: GIF bytes to RGB, by giflib.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "data/decode.hpp"
#include "data/image_header.hpp"

namespace headstart {

/// Whether a file begins as GIF does.
[[nodiscard]] bool is_gif(std::span<const std::byte> bytes);

/// A canvas that holds the first picture, found without decoding anything.
struct GifCanvas {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
};

/// The canvas of the header, made larger where the first picture leaves it; nothing if the bytes end before
/// that picture, or there is none.
[[nodiscard]] std::optional<GifCanvas> read_gif_canvas(std::span<const std::byte> bytes);

/// The first picture on its canvas. Around it the canvas is transparent if the picture has a transparent
/// colour, and of its palette's first colour if not, as Pillow has it.
/// @param header  of these bytes, within the caller's limit of pixels
[[nodiscard]] std::variant<RgbImage, Reject> decode_gif(std::span<const std::byte> bytes,
                                                        const ImageHeader& header, Alpha alpha);

}  // namespace headstart
