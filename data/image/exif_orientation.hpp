// data/image/exif_orientation.hpp: reads which way up a photograph was stored, and turns it upright.
#pragma once

#include <cstddef>
#include <span>

#include "data/image/rgb_image.hpp"

namespace headstart {

/// EXIF's orientation, 1..8, of an image file: JPEG (APP1), PNG (eXIf), WebP (EXIF) or TIFF (its own
/// directory). 1 (upright) for every other file, and if the tag is missing, out of range or damaged.
[[nodiscard]] int exif_orientation(std::span<const std::byte> file);

/// `image` turned and mirrored so that it is upright.
/// @param orientation  1..8; 5 to 8 exchange height and width
[[nodiscard]] RgbImage upright(RgbImage image, int orientation);

}  // namespace headstart
