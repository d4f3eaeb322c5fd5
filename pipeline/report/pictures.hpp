// pipeline/report/pictures.hpp: the pictures of a report: images read once more, and made small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>

#include "data/decode.hpp"
#include "data/manifest.hpp"
#include "pipeline/report/report.hpp"

namespace headstart {

/// How much work pictures may be.
struct PictureLimit {
  std::size_t pictures = std::numeric_limits<std::size_t>::max();
  std::uint64_t bytes =
      std::numeric_limits<std::uint64_t>::max();  ///< of image files; members of archives are free
};

/// Gives a picture to every image that has none, evenly spread over them where the limit does not allow for
/// all. An image without one stays so where it can't be read or decoded; members of archives do where the
/// archives hold more than a gibibyte, as a compressed one is read from its front.
void take_pictures(std::map<ImageNumber, ShownImage>& images, const Manifest& manifest,
                   const DecodeOptions& options, const PictureLimit& limit);

}  // namespace headstart
