// data/image/thumbnail.hpp: image file bytes to a small JPEG for people. The network's input comes from
// data/image/decode.hpp and data/image/resize.hpp instead.
#pragma once

#include <cstddef>
#include <span>
#include <variant>
#include <vector>

#include "data/error.hpp"
#include "data/image/decode.hpp"
#include "data/image/rgb_image.hpp"

namespace headstart {

/// `image` as large as fits into a square of `side` pixels, with its aspect ratio (no side below one pixel).
/// Each new pixel is the mean of the pixels that it covers. An image that fits already stays as it is.
[[nodiscard]] RgbImage shrink(RgbImage image, int side);

/// The image as a JPEG file, upright, at most `side` pixels wide and high; or why not.
/// @param side  at least 1
[[nodiscard]] std::variant<std::vector<std::byte>, Reject> make_thumbnail(std::span<const std::byte> bytes,
                                                                          const DecodeOptions& options,
                                                                          int side);

}  // namespace headstart
