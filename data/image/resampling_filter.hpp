// data/image/resampling_filter.hpp: the weights with which the pixels of a line become the pixels of a scaled
// line. Filters separate, so an image is resampled along x and then along y with the weights of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "data/image/resize_options.hpp"

namespace headstart {

/// How pixels are resampled.
struct Resampling {
  Interpolation filter = Interpolation::kBilinear;
  /// A reduction widens the filter, so that every pixel counts. kNearest has no use for it.
  bool antialias = true;

  bool operator==(const Resampling&) const = default;
};

/// Consecutive pixels of a scaled line.
struct ScaledLine {
  int in = 0;               ///< pixels of the line before scaling
  std::int64_t scaled = 0;  ///< pixels of the whole scaled line
  std::int64_t first = 0;   ///< the first of them that is wanted
  int count = 0;            ///< how many are wanted
};

/// Wanted pixel i is the sum of weights[i * taps + t] times pixel first[i] + t of the line, for t in
/// 0..taps-1. Each window lies within the line, and `first` never falls.
template <typename Weight>
struct LineWeights {
  std::size_t taps = 0;
  std::vector<std::size_t> first;  ///< [count]
  std::vector<Weight> weights;     ///< [count, taps]; surplus taps have weight 0
};

/// With scale = in / scaled and the centre of result pixel x at (x + 0.5) * scale:
/// - antialias: Pillow's. The filter is stretched by max(scale, 1), cut off at both ends of the line, and
///   divided by its sum. Bicubic has a = -0.5.
/// - else: PyTorch's interpolate(align_corners=False), with positions in float32 as there. The filter has the
///   width that it has on the source, whatever the scale; pixels beyond an end are the last one there.
///   Bicubic has a = -0.75.
/// Memory, if the line is reduced: 16 bytes (bilinear) or 32 (bicubic) for each of its pixels.
/// @param line    in, scaled and count at least 1; first + count at most scaled
/// @param filter  not kNearest
[[nodiscard]] LineWeights<double> filter_weights(const ScaledLine& line, Interpolation filter,
                                                 bool antialias);

/// The pixel below each wanted pixel's centre, floor((x + 0.5) * scale). As Pillow's, the positions are sums
/// of `scale`, whose rounding decides where a centre lies between two pixels. Note: PyTorch's and OpenCV's
/// "nearest" is floor(x * scale) instead, and only their "nearest-exact" is near to this.
[[nodiscard]] std::vector<std::size_t> nearest_pixels(const ScaledLine& line);

}  // namespace headstart
