// pipeline/report/metrics_json.hpp: metrics.json: the metrics of a run, for programs.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "head/insight/metrics.hpp"
#include "pipeline/rows/extracted_dataset.hpp"

namespace headstart {

/// A split's metrics and the penalty that its loss includes.
struct SplitMetrics {
  Metrics metrics;
  double l2_penalty = 0.0;

  /// Mean cross-entropy plus the L2 terms, as the loss of Keras's evaluate.
  [[nodiscard]] double loss() const noexcept { return metrics.cross_entropy + l2_penalty; }
};

/// {loss, cross_entropy, accuracy, top5_accuracy, macro_f1, expected_calibration_error, per_class,
/// confusion}.
[[nodiscard]] nlohmann::ordered_json to_json(const SplitMetrics& split,
                                             const std::vector<std::string>& classes);

/// {of_each, cache_hits, copies, cache_misses, rejected}.
[[nodiscard]] nlohmann::ordered_json to_json(const ViewCounts& views);

/// Lines for a terminal, one for each split in `splits`:
///              images  loss  accuracy  top-5  macro F1  calibration error
[[nodiscard]] std::string metrics_table(
    const std::vector<std::pair<std::string, const SplitMetrics*>>& splits);

}  // namespace headstart
