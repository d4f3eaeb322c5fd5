// pipeline/inspection_report.hpp: an inspection for a person (tables) and for a program (JSON).
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "pipeline/inspection.hpp"
#include "pipeline/report/report.hpp"
#include "pipeline/stage_one.hpp"

namespace headstart {

/// Tables with a heading each. @param top  the most lines of a table; what is left out is counted
[[nodiscard]] std::string inspection_text(const Inspection& inspection, const ExtractedDataset& dataset,
                                          std::size_t top);

/// The same for report.html.
[[nodiscard]] std::vector<ReportTable> inspection_tables(const Inspection& inspection,
                                                         const ExtractedDataset& dataset, std::size_t top);

/// Everything: keys near_duplicates, out_of_fold, suspect_labels, outliers, classes, confused_classes,
/// transferability.
[[nodiscard]] nlohmann::ordered_json inspection_json(const Inspection& inspection,
                                                     const ExtractedDataset& dataset);

}  // namespace headstart
