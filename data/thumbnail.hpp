// data/thumbnail.hpp: image file bytes to a small JPEG, for people to look at; what the network sees is
// decode's and resize's business.
#pragma once

#include <cstddef>
#include <span>
#include <variant>
#include <vector>

#include "data/decode.hpp"
#include "data/error.hpp"
#include "data/rgb_image.hpp"

namespace headstart {

/// `image` as large as fits in a square of `side` pixels, aspect ratio kept (no side below one pixel), each
/// pixel the mean of those that it covers; as it is where it fits already.
[[nodiscard]] RgbImage shrink(RgbImage image, int side);

/// A JPEG file of the image, upright, at most `side` pixels wide and high; or why not. @param side  at least
/// 1
[[nodiscard]] std::variant<std::vector<std::byte>, Reject> make_thumbnail(std::span<const std::byte> bytes,
                                                                          const DecodeOptions& options,
                                                                          int side);

}  // namespace headstart
