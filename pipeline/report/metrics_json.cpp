// pipeline/report/metrics_json.cpp
#include "pipeline/report/metrics_json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "pipeline/process/text_table.hpp"

namespace headstart {

using Json = nlohmann::ordered_json;

Json to_json(const SplitMetrics& split, const std::vector<std::string>& classes) {
  const Metrics& m = split.metrics;
  Json per_class = Json::array();
  for (std::size_t i = 0; i < m.per_class.size(); ++i) {
    const ClassMetrics& c = m.per_class[i];
    per_class.push_back({{"class", classes[i]},
                         {"precision", c.precision},
                         {"recall", c.recall},
                         {"f1", c.f1},
                         {"support", c.support}});
  }
  Json confusion{{"label", Json::array()}, {"predicted", Json::array()}, {"images", Json::array()}};
  for (const ConfusionCount& pair : m.confusion) {
    confusion["label"].push_back(pair.label);
    confusion["predicted"].push_back(pair.predicted);
    confusion["images"].push_back(pair.rows);
  }
  return {{"images", m.rows},
          {"loss", split.loss()},
          {"cross_entropy", m.cross_entropy},
          {"accuracy", m.accuracy},
          {"balanced_accuracy", m.balanced_accuracy},
          {"top5_accuracy", m.top5_accuracy ? Json(*m.top5_accuracy) : Json(nullptr)},
          {"macro_f1", m.macro_f1},
          {"expected_calibration_error", m.expected_calibration_error},
          {"per_class", per_class},
          {"confusion", confusion}};
}

Json to_json(const ViewCounts& views) {
  return {{"of_each", views.of_each},
          {"cache_hits", views.counts.cached},
          {"copies", views.counts.copies},
          {"cache_misses", views.counts.extracted},
          {"rejected", views.counts.rejected}};
}

std::string metrics_table(const std::vector<std::pair<std::string, const SplitMetrics*>>& splits) {
  std::vector<std::vector<std::string>> rows{
      {"", "images", "loss", "accuracy", "balanced", "top-5", "macro F1", "calibration error"}};
  for (const auto& [name, split] : splits) {
    const Metrics& m = split->metrics;
    rows.push_back({name, fmt::format("{}", m.rows), fmt::format("{:.4f}", split->loss()),
                    fmt::format("{:.4f}", m.accuracy), fmt::format("{:.4f}", m.balanced_accuracy),
                    m.top5_accuracy ? fmt::format("{:.4f}", *m.top5_accuracy) : "-",
                    fmt::format("{:.4f}", m.macro_f1), fmt::format("{:.4f}", m.expected_calibration_error)});
  }
  return text_table(rows);
}

}  // namespace headstart
