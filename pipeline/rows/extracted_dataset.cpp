// pipeline/rows/extracted_dataset.cpp
#include "pipeline/rows/extracted_dataset.hpp"

namespace headstart {

std::vector<ImageSource> sources_of(const Manifest& manifest) {
  std::vector<ImageSource> sources;
  sources.reserve(manifest.samples.size());
  for (const Sample& sample : manifest.samples) sources.push_back(sample.source);
  return sources;
}

ViewCounts count_views(std::span<const ImageResult> images, int views) {
  ViewCounts counts;
  counts.of_each = views;
  for (const ImageResult& image : images) {
    if (image.status == ImageStatus::kRejected) continue;
    for (const ImageStatus view : image.views) {
      if (view == ImageStatus::kCached) ++counts.cached;
      if (view == ImageStatus::kExtracted) ++counts.extracted;
      if (view == ImageStatus::kRejected) ++counts.rejected;
    }
  }
  return counts;
}

}  // namespace headstart
