// head/insight/metrics.hpp: the metrics of predictions on labelled rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "head/matrix.hpp"

namespace headstart {

/// One class against the rest. A ratio without a denominator is 0, as with scikit-learn's zero_division=0.
struct ClassMetrics {
  double precision = 0.0;
  double recall = 0.0;
  double f1 = 0.0;
  std::int64_t support = 0;  ///< rows that have this label
};

/// Predictions of similar confidence: one bin of a reliability diagram.
struct CalibrationBin {
  std::int64_t rows = 0;
  double confidence = 0.0;  ///< mean probability of the predicted class; 0 without rows
  double accuracy = 0.0;    ///< share of its rows that are right; 0 without rows
};

/// The number of bins, equally wide; bin i is (i / 15, (i + 1) / 15].
inline constexpr std::size_t kCalibrationBins = 15;

/// The results of a classifier on some rows.
struct Metrics {
  std::int64_t rows = 0;
  double cross_entropy = 0.0;  ///< mean, unweighted, in nats, without L2
  double accuracy = 0.0;
  std::optional<double> top5_accuracy;  ///< empty with fewer than five classes
  double macro_f1 = 0.0;                ///< mean over the classes that have rows or predictions
  /// Over 15 equal bins of confidence (Guo et al., arXiv 1706.04599, eq. 3).
  double expected_calibration_error = 0.0;
  std::vector<CalibrationBin> calibration;  ///< [kCalibrationBins]
  std::vector<ClassMetrics> per_class;
  std::vector<std::vector<std::int64_t>> confusion;  ///< [label][prediction]
};

/// The predicted class of each row: the one with the largest probability, in a tie the first.
[[nodiscard]] std::vector<std::int32_t> predicted_classes(const Matrix& probabilities);

/// @param probabilities  [rows, classes], rows sum to one
/// @param labels         [rows]
/// @throws std::invalid_argument if the shapes disagree, there is no row, or a label is out of range
[[nodiscard]] Metrics evaluate(const Matrix& probabilities, std::span<const std::int32_t> labels);

/// As evaluate(), from logits. The cross-entropy is the one that training reports. This cross-entropy stays
/// exact where a probability is too small for a float.
[[nodiscard]] Metrics evaluate_logits(const Matrix& logits, std::span<const std::int32_t> labels);

}  // namespace headstart
