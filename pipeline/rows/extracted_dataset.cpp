// pipeline/rows/extracted_dataset.cpp
#include "pipeline/rows/extracted_dataset.hpp"

namespace headstart {

std::vector<ImageSource> sources_of(const Manifest& manifest) {
  std::vector<ImageSource> sources;
  sources.reserve(manifest.samples.size());
  for (const Sample& sample : manifest.samples) sources.push_back(sample.source);
  return sources;
}

void ResultCounts::add(ImageStatus status) noexcept {
  switch (status) {
    case ImageStatus::kCached:
      ++cached;
      break;
    case ImageStatus::kExtracted:
      ++extracted;
      break;
    case ImageStatus::kCopy:
      ++copies;
      break;
    case ImageStatus::kRejected:
      ++rejected;
      break;
    case ImageStatus::kSkipped:
      break;
  }
}

ViewCounts count_views(std::span<const ImageResult> images, int views) {
  ViewCounts result{.of_each = views};
  for (const ImageResult& image : images) {
    if (image.status == ImageStatus::kRejected) continue;
    for (const ImageStatus view : image.views) result.counts.add(view);
  }
  return result;
}

}  // namespace headstart
