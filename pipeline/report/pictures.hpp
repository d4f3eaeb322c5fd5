// pipeline/report/pictures.hpp: the pictures of a report: reads images once more and makes them small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>

#include "data/dataset/manifest.hpp"
#include "data/image/decode.hpp"
#include "pipeline/report/report.hpp"

namespace headstart {

/// A limit on the work for pictures.
struct PictureLimit {
  std::size_t pictures = std::numeric_limits<std::size_t>::max();
  /// Bytes of image files; members of archives do not count.
  std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();
};

/// Gives a picture to every image that has none. If the limit does not allow all, the pictures are evenly
/// spread over the images. An image that can't be read or decoded gets none. Members of archives get none if
/// the archives hold more than a gibibyte, because a compressed archive is read from its front.
void take_pictures(std::map<ImageNumber, ShownImage>& images, const Manifest& manifest,
                   const DecodeOptions& options, const PictureLimit& limit);

}  // namespace headstart
