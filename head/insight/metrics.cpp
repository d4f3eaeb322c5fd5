// head/insight/metrics.cpp
#include "head/insight/metrics.hpp"

#include "head/layers/softmax_cross_entropy.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>

namespace headstart {
namespace {

constexpr Eigen::Index kTop = 5;

void check(const Matrix& probabilities, std::span<const std::int32_t> labels) {
  if (static_cast<std::size_t>(probabilities.rows()) != labels.size()) {
    throw std::invalid_argument("metrics: " + std::to_string(probabilities.rows()) +
                                " rows of probabilities, but " + std::to_string(labels.size()) + " labels");
  }
  if (labels.empty()) throw std::invalid_argument("metrics: there is no row to measure");
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] < 0 || labels[row] >= probabilities.cols()) {
      throw std::invalid_argument("metrics: label " + std::to_string(labels[row]) + " of row " +
                                  std::to_string(row) + " is out of range: needed 0 to " +
                                  std::to_string(probabilities.cols() - 1));
    }
  }
}

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

double mean_cross_entropy(const Matrix& probabilities, std::span<const std::int32_t> labels) {
  // A probability that underflowed counts as the smallest normal float (87 nats), not as zero (infinity).
  constexpr float kLeast = std::numeric_limits<float>::min();
  double sum = 0.0;
  for (Eigen::Index r = 0; r < probabilities.rows(); ++r) {
    sum -= std::log(
        static_cast<double>(std::max(probabilities(r, labels[static_cast<std::size_t>(r)]), kLeast)));
  }
  return sum / static_cast<double>(labels.size());
}

// The number of classes before the label in the order of falling probability; in a tie the first class comes
// first.
Eigen::Index rank_of_label(const Matrix& probabilities, Eigen::Index row, Eigen::Index label) {
  const float own = probabilities(row, label);
  Eigen::Index rank = 0;
  for (Eigen::Index c = 0; c < probabilities.cols(); ++c) {
    if (probabilities(row, c) > own || (probabilities(row, c) == own && c < label)) ++rank;
  }
  return rank;
}

double top5_accuracy(const Matrix& probabilities, std::span<const std::int32_t> labels) {
  std::int64_t hits = 0;
  for (Eigen::Index r = 0; r < probabilities.rows(); ++r) {
    if (rank_of_label(probabilities, r, labels[static_cast<std::size_t>(r)]) < kTop) ++hits;
  }
  return ratio(hits, probabilities.rows());
}

std::vector<CalibrationBin> calibration_bins(const Matrix& probabilities,
                                             std::span<const std::int32_t> labels,
                                             std::span<const std::int32_t> predictions) {
  std::vector<CalibrationBin> bins(kCalibrationBins);
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const double confidence =
        static_cast<double>(probabilities(static_cast<Eigen::Index>(row), predictions[row]));
    const double position = std::ceil(confidence * static_cast<double>(kCalibrationBins)) - 1.0;
    CalibrationBin& bin =
        bins[static_cast<std::size_t>(std::clamp(position, 0.0, static_cast<double>(kCalibrationBins - 1)))];
    ++bin.rows;
    bin.confidence += confidence;
    bin.accuracy += predictions[row] == labels[row] ? 1.0 : 0.0;
  }
  for (CalibrationBin& bin : bins) {
    if (bin.rows == 0) continue;
    bin.confidence /= static_cast<double>(bin.rows);
    bin.accuracy /= static_cast<double>(bin.rows);
  }
  return bins;
}

// The mean over rows of |accuracy - confidence| of the row's bin.
double expected_calibration_error(const std::vector<CalibrationBin>& bins, std::int64_t rows) {
  double sum = 0.0;
  for (const CalibrationBin& bin : bins)
    sum += static_cast<double>(bin.rows) * std::abs(bin.accuracy - bin.confidence);
  return sum / static_cast<double>(rows);
}

std::vector<ClassMetrics> per_class_metrics(const std::vector<std::vector<std::int64_t>>& confusion) {
  std::vector<ClassMetrics> result(confusion.size());
  for (std::size_t c = 0; c < confusion.size(); ++c) {
    std::int64_t predicted = 0;
    for (std::size_t other = 0; other < confusion.size(); ++other) {
      result[c].support += confusion[c][other];
      predicted += confusion[other][c];
    }
    const std::int64_t hits = confusion[c][c];
    result[c].precision = ratio(hits, predicted);
    result[c].recall = ratio(hits, result[c].support);
    result[c].f1 = ratio(2 * hits, predicted + result[c].support);
  }
  return result;
}

double macro_f1(const std::vector<std::vector<std::int64_t>>& confusion,
                const std::vector<ClassMetrics>& per_class) {
  double sum = 0.0;
  std::int64_t present = 0;
  for (std::size_t c = 0; c < per_class.size(); ++c) {
    const bool predicted = std::any_of(confusion.begin(), confusion.end(),
                                       [c](const std::vector<std::int64_t>& row) { return row[c] > 0; });
    if (per_class[c].support == 0 && !predicted) continue;
    sum += per_class[c].f1;
    ++present;
  }
  return sum / static_cast<double>(present);
}

}  // namespace

std::vector<std::int32_t> predicted_classes(const Matrix& probabilities) {
  std::vector<std::int32_t> classes(static_cast<std::size_t>(probabilities.rows()));
  for (Eigen::Index r = 0; r < probabilities.rows(); ++r) {
    Eigen::Index best = 0;
    for (Eigen::Index c = 1; c < probabilities.cols(); ++c) {
      if (probabilities(r, c) > probabilities(r, best)) best = c;
    }
    classes[static_cast<std::size_t>(r)] = static_cast<std::int32_t>(best);
  }
  return classes;
}

Metrics evaluate(const Matrix& probabilities, std::span<const std::int32_t> labels) {
  check(probabilities, labels);
  const std::vector<std::int32_t> predictions = predicted_classes(probabilities);
  const auto classes = static_cast<std::size_t>(probabilities.cols());

  Metrics metrics;
  metrics.rows = static_cast<std::int64_t>(labels.size());
  metrics.cross_entropy = mean_cross_entropy(probabilities, labels);
  metrics.confusion.assign(classes, std::vector<std::int64_t>(classes, 0));
  std::int64_t hits = 0;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    ++metrics.confusion[static_cast<std::size_t>(labels[row])][static_cast<std::size_t>(predictions[row])];
    if (labels[row] == predictions[row]) ++hits;
  }
  metrics.accuracy = ratio(hits, metrics.rows);
  if (probabilities.cols() >= kTop) metrics.top5_accuracy = top5_accuracy(probabilities, labels);
  metrics.per_class = per_class_metrics(metrics.confusion);
  metrics.macro_f1 = macro_f1(metrics.confusion, metrics.per_class);
  metrics.calibration = calibration_bins(probabilities, labels, predictions);
  metrics.expected_calibration_error = expected_calibration_error(metrics.calibration, metrics.rows);
  return metrics;
}

Metrics evaluate_logits(const Matrix& logits, std::span<const std::int32_t> labels) {
  Matrix z = logits;
  softmax(z);
  Metrics metrics = evaluate(z, labels);
  z = logits;
  metrics.cross_entropy = softmax_cross_entropy(z, labels, {}).loss / static_cast<double>(metrics.rows);
  return metrics;
}

}  // namespace headstart
