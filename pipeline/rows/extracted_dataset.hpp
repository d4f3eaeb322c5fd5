// pipeline/rows/extracted_dataset.hpp: a dataset after stage one, as a value.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "data/archive/image_source.hpp"
#include "data/dataset/manifest.hpp"
#include "data/dataset/split.hpp"
#include "data/sha256.hpp"
#include "features/extraction/extractor.hpp"

namespace headstart {

/// The places of the samples' images.
[[nodiscard]] std::vector<ImageSource> sources_of(const Manifest& manifest);

/// How many images, or views of used images, came to which result. See ImageStatus.
struct ResultCounts {
  std::size_t cached = 0;
  std::size_t extracted = 0;
  std::size_t copies = 0;
  std::size_t rejected = 0;

  /// Counts one more. Does not count what was skipped.
  void add(ImageStatus status) noexcept;
};

/// The results of the views (data/image/view.hpp) of images.
struct ViewCounts {
  int of_each = 0;  ///< views of each image, besides the image itself
  ResultCounts counts{};
};

/// Counts the views of the images that are not rejected.
[[nodiscard]] ViewCounts count_views(std::span<const ImageResult> images, int views);

/// A dataset after stage one.
struct ExtractedDataset {
  Manifest manifest;
  Extraction extraction;
  std::vector<std::optional<Sha256>> content;  ///< of each sample's file
  std::vector<std::size_t> used;  ///< positions in manifest.samples that have features, ascending
  std::vector<DuplicateSet> duplicates;
  ResultCounts images;
  ViewCounts views;
};

}  // namespace headstart
