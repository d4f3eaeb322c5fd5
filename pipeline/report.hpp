// pipeline/report.hpp: report.html: what a run did and how well, on one page that requests nothing from
// anywhere.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "head/trainer.hpp"
#include "pipeline/metrics_json.hpp"

namespace headstart {

/// A line of the report's tables of facts.
using Fact = std::pair<std::string, std::string>;

/// A table with a heading of its own, and what to know about it.
struct ReportTable {
  std::string title;
  std::string note;
  std::vector<std::vector<std::string>> rows;  ///< the header first
};

/// What the report shows.
struct Report {
  std::string title;
  std::vector<Fact> facts;  ///< what ran, on what
  std::vector<std::string> classes;
  std::vector<std::pair<std::string, SplitMetrics>>
      splits;  ///< training first; classes and confusion are the last one's
  std::vector<EpochResult> history;
  std::vector<ReportTable> tables;      ///< shown behind the result
  std::vector<ReportTable> inspection;  ///< what the features say about the images; shown before what ran
  std::vector<Fact> rejects;            ///< path and reason
};

/// The page. Every text is escaped; colours follow the reader's light or dark setting.
[[nodiscard]] std::string report_html(const Report& report);

/// &, <, >, " and ' as entities.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace headstart
