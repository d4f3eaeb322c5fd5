// pipeline/rows/extraction_trial.hpp: how fast stage one is on this machine, tried on a few images of a
// dataset: what --dry-run says of the time and memory of an extraction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "data/archive/image_source.hpp"
#include "pipeline/process/session.hpp"
#include "pipeline/rows/stage_one.hpp"

namespace headstart {

struct ExtractionSpeed {
  double rows_per_second = 0.0;  ///< of images and views; from reading to the cache
  std::size_t images = 0;        ///< that it was tried on
  std::int64_t bytes = 0;        ///< the most memory that the process had; it does not grow with the images
};

/// Computes the rows of images that are spread over the dataset, into a cache of its own, which is removed
/// again. The engine's start is not in the time.
/// @param views  of each image, besides the image itself
/// @return nothing if there are too few images to tell
/// @throws Interrupted; Error if the engine fails or there is no room for a cache of a few images
[[nodiscard]] std::optional<ExtractionSpeed> try_extraction(const StageOne& stage_one,
                                                            std::span<const ImageSource> sources, int views,
                                                            const Session& session);

}  // namespace headstart
