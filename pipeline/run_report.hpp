// pipeline/run_report.hpp: what report.html shows of a training run.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "data/decode.hpp"
#include "data/manifest.hpp"
#include "head/feature_matrix.hpp"
#include "pipeline/report/report.hpp"
#include "pipeline/run_output.hpp"
#include "pipeline/split_rows.hpp"
#include "pipeline/stored_rows.hpp"

namespace headstart {

/// All that needs neither features nor pixels; its facts end before the cache's.
[[nodiscard]] Report report_of(const EndedRun& run);

/// Finds the training images that are most like each of the mistakes. @param training  their rows
/// @param read  rows as the head takes them; called for some at a time
void add_neighbours(Report& report, const ExtractedDataset& dataset, std::span<const RowIndex> training,
                    const std::function<FeatureMatrix(std::span<const RowIndex>)>& read);

/// What the features say about the images: a map, and, where that takes no longer than the training,
/// near-duplicates, suspect labels, outliers, classes that overlap. For more images there is `headstart
/// inspect`.
/// @param stored  maps, those of the images first
void add_features(Report& report, const ExtractedDataset& dataset, const SplitRows& rows,
                  const StoredRows& stored, const std::vector<Evaluated>& splits, int threads);

/// Small pictures of the images that the report names: of all but those that only its map shows, and of as
/// many of these as can be read quickly. Images that can't be read any more, or lie in archives of gigabytes,
/// have none.
void add_pictures(Report& report, const Manifest& manifest, const DecodeOptions& options);

}  // namespace headstart
