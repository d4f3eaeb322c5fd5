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

/// How many rows of one class were predicted as one class. Pairs without rows are not kept: a matrix of all
/// pairs grows with the square of the classes.
struct ConfusionCount {
  std::int32_t label = 0;
  std::int32_t predicted = 0;
  std::int64_t rows = 0;  ///< at least 1

  bool operator==(const ConfusionCount&) const = default;
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
  double balanced_accuracy = 0.0;       ///< mean recall of the classes that have rows
  std::optional<double> top5_accuracy;  ///< empty with fewer than five classes
  double macro_f1 = 0.0;                ///< mean over the classes that have rows or predictions
  /// Over 15 equal bins of confidence (Guo et al., arXiv 1706.04599, eq. 3).
  double expected_calibration_error = 0.0;
  std::vector<CalibrationBin> calibration;  ///< [kCalibrationBins]
  std::vector<ClassMetrics> per_class;
  std::vector<ConfusionCount> confusion;  ///< the confusion matrix: by label, then by prediction
};

/// The predicted class of each row: the one with the largest probability, in a tie the first.
[[nodiscard]] std::vector<std::int32_t> predicted_classes(const Matrix& probabilities);

/// The `count` most probable classes of one row, or all if there are fewer. The most probable is first; in a
/// tie the lower class is.
/// @param probabilities  [rows, classes]
[[nodiscard]] std::vector<std::int32_t> most_probable_classes(const Matrix& probabilities, Eigen::Index row,
                                                              std::size_t count);

/// @param probabilities  [rows, classes], rows sum to one
/// @param labels         [rows]
/// @throws std::invalid_argument if the shapes disagree, there is no row, or a label is out of range
[[nodiscard]] Metrics evaluate(const Matrix& probabilities, std::span<const std::int32_t> labels);

/// As evaluate(), from logits. The cross-entropy is the one that training reports. This cross-entropy stays
/// exact where a probability is too small for a float.
[[nodiscard]] Metrics evaluate_logits(const Matrix& logits, std::span<const std::int32_t> labels);

}  // namespace headstart
