// pipeline/run/run_report.hpp: the content of report.html for a training run.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "data/dataset/manifest.hpp"
#include "data/image/decode.hpp"
#include "memory/sparse_rows.hpp"
#include "pipeline/report/report.hpp"
#include "pipeline/rows/stored_rows.hpp"
#include "pipeline/run/inspection.hpp"
#include "pipeline/run/run_output.hpp"
#include "pipeline/run/split_rows.hpp"

namespace headstart {

/// The parts that need neither features nor pixels; the list of facts ends before those of the cache.
[[nodiscard]] Report report_of(const EndedRun& run);

/// Finds the training images that are most like each mistake.
/// @param training  the rows of the training images
/// @param read      reads rows as the head takes them; called for some rows at a time
void add_neighbours(Report& report, const ExtractedDataset& dataset, std::span<const RowIndex> training,
                    const std::function<SparseRows(std::span<const RowIndex>)>& read);

/// What the features show about the images: a map, near-duplicates, suspect labels, outliers, overlapping
/// classes. Near-duplicates and outliers of more than 20,000 images take longer than the training: for these
/// there is `headstart inspect`.
/// @param stored  maps; those of the images come first
/// @throws Cancelled
void add_features(Report& report, const ExtractedDataset& dataset, const SplitRows& rows,
                  const StoredRows& stored, const std::vector<Evaluated>& splits, const InspectionWork& work);

/// Small pictures of the images in the report. Every image that is named gets one. Of the images that only
/// the map shows, as many get one as can be read quickly. Images have none if they can't be read any more, or
/// are in archives of gigabytes.
void add_pictures(Report& report, const Manifest& manifest, const DecodeOptions& options);

}  // namespace headstart
