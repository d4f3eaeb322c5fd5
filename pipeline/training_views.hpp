// pipeline/training_views.hpp: views of training images as further training rows.
// They come in a second pass over the training files: which images train is known only when stage one has
// told their contents, and images that validate get no views.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "data/sha256.hpp"
#include "head/feature_rows.hpp"
#include "pipeline/session.hpp"
#include "pipeline/stage_one.hpp"

namespace headstart {

/// Rows of the cache that train beside the images' own.
struct TrainingViews {
  std::vector<Sha256> keys;
  std::vector<RowIndex> originals;  ///< position in ExtractedDataset::used of the image of each
};

/// Makes sure that `views` views of the images `training` (positions in dataset.used) are in the cache,
/// counts them in dataset.views and says so on the console. The views' labels, splits and folds are those of
/// their originals. A view without a row, or of a file that changed since stage one saw it, is left out. Does
/// nothing for 0 views.
[[nodiscard]] TrainingViews extract_training_views(ExtractedDataset& dataset,
                                                   std::span<const RowIndex> training, int views,
                                                   const Session& session, StageOne& stage_one);

}  // namespace headstart
