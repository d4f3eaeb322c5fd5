// data/view.hpp: views of an image: seeded random crops and flips, for training on more than there is and for
// averaging at prediction.
// A view depends on the image's bytes and the view's number alone, not on a run's --seed: every run, split
// and data set that has the image has the same views of it, and so the cache can keep them.
#pragma once

#include <cstdint>

#include "data/rgb_image.hpp"
#include "data/sha256.hpp"

namespace headstart {

/// A rectangle of an upright image, mirrored left to right if `flip`.
struct View {
  bool flip = false;
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;

  bool operator==(const View&) const = default;
};

/// What names view `index` of the image file with digest `content`, and seeds its draw: SHA-256 of the
/// digest's 32 bytes, the 16 bytes "headstart view 1" and the index as eight bytes, little-endian. View 0 is
/// the image as it is: its key is `content`.
[[nodiscard]] Sha256 view_key(const Sha256& content, std::uint64_t index);

/// The view that `key` stands for, of an image of this size. Flipped with probability 1/2; cropped as
/// torchvision's RandomResizedCrop with scale (0.6, 1) and ratio (3/4, 4/3) does (after Szegedy et al.,
/// "Going Deeper with Convolutions", 2015): area uniform and the logarithm of width / height uniform in these
/// ranges, tried up to ten times until it fits, then placed uniformly; else the largest centred rectangle
/// whose ratio is in range. So a view is smaller than 0.6 only where the image is longer than 20 : 9.
/// The random numbers are those of docs/cache-format.md.
/// @param width, height  at least 1
[[nodiscard]] View draw_view(const Sha256& key, int width, int height);

/// The pixels of `view`, which lies within `image`.
[[nodiscard]] RgbImage cut(const RgbImage& image, const View& view);

}  // namespace headstart
