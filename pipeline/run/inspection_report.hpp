// pipeline/run/inspection_report.hpp: an inspection for the user (tables) and for programs (JSON).
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "pipeline/report/report.hpp"
#include "pipeline/rows/extracted_dataset.hpp"
#include "pipeline/run/inspection.hpp"

namespace headstart {

/// Tables, each with a heading. @param top  the most lines of a table; further lines are only counted
[[nodiscard]] std::string inspection_text(const Inspection& inspection, const ExtractedDataset& dataset,
                                          std::size_t top);

/// The tables for report.html. Without a comparison there are none of near-duplicates and outliers.
[[nodiscard]] std::vector<ReportTable> inspection_tables(const Inspection& inspection,
                                                         const ExtractedDataset& dataset, std::size_t top);

/// The whole inspection, with keys comparison, near_duplicates, out_of_fold, suspect_labels, outliers,
/// classes, confused_classes, transferability.
[[nodiscard]] nlohmann::ordered_json inspection_json(const Inspection& inspection,
                                                     const ExtractedDataset& dataset);

}  // namespace headstart
