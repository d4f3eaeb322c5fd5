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

/// The version of the keys of metrics.json and of `evaluate --json`, their `format_version`. Files before it
/// have no such key and the confusion matrix as a list of lists.
inline constexpr int kMetricsFormatVersion = 2;

/// A split's metrics and the penalty that its loss includes.
struct SplitMetrics {
  Metrics metrics;
  double l2_penalty = 0.0;

  /// Mean cross-entropy plus the L2 terms, as the loss of Keras's evaluate.
  [[nodiscard]] double loss() const noexcept { return metrics.cross_entropy + l2_penalty; }
};

/// {images, loss, cross_entropy, accuracy, balanced_accuracy, top5_accuracy, macro_f1,
/// expected_calibration_error, per_class, confusion: {label, predicted, images}}. The last three are lists of
/// one length: an element for each pair of classes that has images. So the file does not grow with the square
/// of the classes.
[[nodiscard]] nlohmann::ordered_json to_json(const SplitMetrics& split,
                                             const std::vector<std::string>& classes);

/// {of_each, cache_hits, copies, cache_misses, rejected}.
[[nodiscard]] nlohmann::ordered_json to_json(const ViewCounts& views);

/// Lines for a terminal, one for each split in `splits`:
///              images  loss  accuracy  balanced  top-5  macro F1  calibration error
[[nodiscard]] std::string metrics_table(
    const std::vector<std::pair<std::string, const SplitMetrics*>>& splits);

}  // namespace headstart
