// data/image/view.hpp: views of an image: seeded random crops and flips. They extend the training images and
// are averaged at prediction. A view depends only on the image's bytes and the view's number, not on a run's
// --seed. Every run, split and dataset with the image has the same views of it, so the cache can keep them.
#pragma once

#include <cstdint>

#include "data/image/rgb_image.hpp"
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

/// The key of view `index` of the image file with digest `content`; it also seeds the draw. The key is the
/// SHA-256 of the digest's 32 bytes, the 16 bytes "headstart view 1" and the index as eight bytes,
/// little-endian. View 0 is the image as it is: its key is `content`.
[[nodiscard]] Sha256 view_key(const Sha256& content, std::uint64_t index);

/// The view with that key, of an image of this size. Flipped with probability 1/2. Cropped like torchvision's
/// RandomResizedCrop with scale (0.6, 1) and ratio (3/4, 4/3), after Szegedy et al., "Going Deeper with
/// Convolutions", 2015. The area and the logarithm of width / height are uniform in these ranges. Up to ten
/// draws are tried until one fits; that rectangle is placed uniformly. If none fits, the view is the largest
/// centred rectangle whose ratio is in range. So a view has less than 0.6 of the area only if the image is
/// longer than 20 : 9. docs/cache-format.md defines the random numbers.
/// @param width, height  at least 1
[[nodiscard]] View draw_view(const Sha256& key, int width, int height);

/// The pixels of `view`, which lies within `image`.
[[nodiscard]] RgbImage cut(const RgbImage& image, const View& view);

}  // namespace headstart
