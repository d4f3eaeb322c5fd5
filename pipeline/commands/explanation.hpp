// pipeline/commands/explanation.hpp: draws a class-activation map over an image.
#pragma once

#include <span>

#include "data/image/resize.hpp"
#include "data/image/rgb_image.hpp"

namespace headstart {

/// The image in grey with a class-activation map over it, in the colours of Turbo (Mikhailov 2019). Where the
/// map is largest, it covers 70 % of the image; where it is zero, it covers nothing.
/// @param map     [size, size], zero or more, for the square that the network saw
/// @param resize  how this square was made of the image
[[nodiscard]] RgbImage overlay(RgbImage image, std::span<const float> map, int size,
                               const ResizeOptions& resize);

}  // namespace headstart
