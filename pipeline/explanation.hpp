// pipeline/explanation.hpp: an image with what a class was seen by glowing on it.
#pragma once

#include <span>

#include "data/resize.hpp"
#include "data/rgb_image.hpp"

namespace headstart {

/// The image in grey with a class-activation map over it, in the colours of Turbo (Mikhailov 2019): where the
/// map is largest it covers 70 % of the image, where it is zero nothing.
/// @param map     [size, size], zero or more: of the square that the network saw
/// @param mode    whether that was all of the image, or its largest centred square
[[nodiscard]] RgbImage overlay(RgbImage image, std::span<const float> map, int size, ResizeMode mode);

}  // namespace headstart
