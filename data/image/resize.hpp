// data/image/resize.hpp: 8-bit RGB to a square float image. The computation is in float and is never rounded
// back.
#pragma once

#include <span>

#include "data/image/resize_options.hpp"
#include "data/image/rgb_image.hpp"

namespace headstart {

/// kStretch and kCrop without antialias, bilinear or nearest: Keras's, with half-pixel centres. Agrees with
/// tf.image.resize(antialias=False) within 1e-2 of 255, and in fact to float rounding.
///   in = (out + 0.5) * in_size / out_size - 0.5
///   lower = max(floor(in), 0),  upper = min(ceil(in), in_size - 1)
///   value = top + (bottom - top) * fraction(in_y), each of top and bottom likewise along x
/// kNearest takes the pixel at min(floor((out + 0.5) * in_size / out_size), in_size - 1).
/// All else: resample(), as Pillow, torchvision and timm do it (resampling.hpp).
/// @param image  at least 1 x 1
/// @param out    [size, size, 3] RGB, 0..255; bicubic without antialias may give values beyond
void resize(const RgbImage& image, const ResizeOptions& options, std::span<float> out);

}  // namespace headstart
