// pipeline/rows/training_views.cpp: see training_views.hpp.
#include "pipeline/rows/training_views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "data/image/view.hpp"
#include "pipeline/rows/stage_one_report.hpp"

namespace headstart {

TrainingViews extract_training_views(ExtractedDataset& dataset, std::span<const RowIndex> training, int views,
                                     const Session& session, StageOne& stage_one) {
  TrainingViews result;
  if (views == 0) return result;
  const auto sample_of = [&](RowIndex row) { return dataset.used[static_cast<std::size_t>(row)]; };
  std::vector<ImageSource> files;
  files.reserve(training.size());
  for (const RowIndex row : training) files.push_back(dataset.manifest.samples[sample_of(row)].source);
  Extraction extraction = stage_one.run(std::move(files), views);

  for (std::size_t i = 0; i < training.size(); ++i) {
    ImageResult& image = extraction.images[i];
    const Sha256& content = *dataset.content[sample_of(training[i])];
    // The image is already in use. If its file is gone or has changed by now, only its views are lost.
    if (image.status == ImageStatus::kRejected || image.content != content) {
      image.status = ImageStatus::kCached;
      std::fill(image.views.begin(), image.views.end(), ImageStatus::kRejected);
    }
    for (std::size_t view = 0; view < image.views.size(); ++view) {
      if (image.views[view] == ImageStatus::kRejected) continue;
      result.keys.push_back(view_key(content, view + 1));
      result.originals.push_back(training[i]);
    }
  }
  dataset.views = count_views(extraction.images, views);
  if (!dataset.extraction.engine) dataset.extraction.engine = extraction.engine;
  const ResultCounts& counts = dataset.views.counts;
  session.console.note(fmt::format("views: {} of each of {} training images in {:.{}f} s: {}{}", views,
                                   training.size(), extraction.seconds, counts.extracted > 0 ? 1 : 3,
                                   describe(counts), describe(extraction.from_taps)));
  if (counts.rejected > 0)
    session.console.warn(fmt::format("{} views can't be used and are left out", counts.rejected));
  return result;
}

}  // namespace headstart
