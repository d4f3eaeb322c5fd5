// pipeline/rows/training_views.hpp: adds views of training images as further training rows. The views come in
// a second pass over the training files. Stage one must first read the files, because their contents decide
// which images train. Validation images get no views.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "data/sha256.hpp"
#include "memory/sparse_rows.hpp"
#include "pipeline/process/session.hpp"
#include "pipeline/rows/extracted_dataset.hpp"
#include "pipeline/rows/stage_one.hpp"

namespace headstart {

/// Rows of the cache that train in addition to the images' rows.
struct TrainingViews {
  std::vector<Sha256> keys;
  std::vector<RowIndex> originals;  ///< for each view, the position of its image in ExtractedDataset::used
};

/// Makes sure that `views` views of the images `training` (positions in dataset.used) are in the cache.
/// Counts them in dataset.views and prints this on the console. A view has the label, split and fold of its
/// image. A view is left out if it has no row, or if its file changed since stage one read it. Does nothing
/// for 0 views.
[[nodiscard]] TrainingViews extract_training_views(ExtractedDataset& dataset,
                                                   std::span<const RowIndex> training, int views,
                                                   const Session& session, StageOne& stage_one);

}  // namespace headstart
