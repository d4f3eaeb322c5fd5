// data/image/resampling.hpp: 8-bit RGB to a network's square input, as Pillow, torchvision and timm resample.
// Only the square is computed, and only from the pixels that it depends on.
// Note: resize.hpp is an older method of Keras's. Old caches depend on it, so that it stays as it is.
#pragma once

#include <span>

#include "data/image/input_geometry.hpp"
#include "data/image/resampling_filter.hpp"
#include "data/image/rgb_image.hpp"

namespace headstart {

/// The square of the scaled image.
/// - antialias: Image.resize() of Pillow 13, bit for bit. Sums along x are rounded to 8 bits, then those
///   along y (fixed_point_rows.hpp). An image that is reduced along y by more than twice as many pixels as
///   along x is summed along y first. The values are whole numbers.
/// - else, bilinear and bicubic: PyTorch's interpolate(align_corners=False) of a float image, up to the
///   rounding of float32. Bicubic overshoots: values below 0 and above 255 are not clipped.
/// - nearest: Pillow's, with and without antialias.
/// Note: Pillow before 13 always sums along x first. For such tall images its bytes differ: bilinear by at
/// most 1, bicubic by more at hard edges, where the first sum was clipped.
/// Memory: the weights (filter_weights()), and the rows that make one result row. The scaled image is never
/// made.
/// @param image   at least 1 x 1
/// @param square  of that image: scaled_square(image.height, image.width, ...)
/// @param out     [size, size, 3] RGB, 0..255
void resample(const RgbImage& image, const ScaledSquare& square, const Resampling& resampling,
              std::span<float> out);

}  // namespace headstart
