// head/insight/metrics.cpp
#include "head/insight/metrics.hpp"

#include "head/layers/softmax_cross_entropy.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

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

// The confusion matrix as its pairs that have rows.
std::vector<ConfusionCount> confusion_counts(std::span<const std::int32_t> labels,
                                             std::span<const std::int32_t> predictions) {
  std::vector<std::pair<std::int32_t, std::int32_t>> pairs;
  pairs.reserve(labels.size());
  for (std::size_t row = 0; row < labels.size(); ++row) pairs.emplace_back(labels[row], predictions[row]);
  std::sort(pairs.begin(), pairs.end());
  std::vector<ConfusionCount> counts;
  for (const auto& [label, predicted] : pairs) {
    if (counts.empty() || counts.back().label != label || counts.back().predicted != predicted)
      counts.push_back({label, predicted, 0});
    ++counts.back().rows;
  }
  return counts;
}

// Fills in what follows from the confusion matrix.
void add_class_metrics(Metrics& metrics, std::size_t classes) {
  std::vector<std::int64_t> hits(classes);
  std::vector<std::int64_t> predicted(classes);
  metrics.per_class.resize(classes);
  for (const ConfusionCount& pair : metrics.confusion) {
    metrics.per_class[static_cast<std::size_t>(pair.label)].support += pair.rows;
    predicted[static_cast<std::size_t>(pair.predicted)] += pair.rows;
    if (pair.label == pair.predicted) hits[static_cast<std::size_t>(pair.label)] = pair.rows;
  }
  std::int64_t right = 0;
  double recalls = 0.0;
  double f1s = 0.0;
  std::int64_t with_rows = 0;
  std::int64_t present = 0;  // classes that have rows or predictions
  for (std::size_t c = 0; c < classes; ++c) {
    ClassMetrics& one = metrics.per_class[c];
    one.precision = ratio(hits[c], predicted[c]);
    one.recall = ratio(hits[c], one.support);
    one.f1 = ratio(2 * hits[c], predicted[c] + one.support);
    right += hits[c];
    recalls += one.recall;
    f1s += one.f1;
    if (one.support > 0) ++with_rows;
    if (one.support > 0 || predicted[c] > 0) ++present;
  }
  metrics.accuracy = ratio(right, metrics.rows);
  metrics.balanced_accuracy = recalls / static_cast<double>(with_rows);
  metrics.macro_f1 = f1s / static_cast<double>(present);
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

std::vector<std::int32_t> most_probable_classes(const Matrix& probabilities, Eigen::Index row,
                                                std::size_t count) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(probabilities.cols()));
  std::iota(order.begin(), order.end(), 0);
  count = std::min(count, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](std::int32_t a, std::int32_t b) {
                      const float first = probabilities(row, a);
                      const float second = probabilities(row, b);
                      return first > second || (first == second && a < b);
                    });
  order.resize(count);
  return order;
}

Metrics evaluate(const Matrix& probabilities, std::span<const std::int32_t> labels) {
  check(probabilities, labels);
  const std::vector<std::int32_t> predictions = predicted_classes(probabilities);

  Metrics metrics;
  metrics.rows = static_cast<std::int64_t>(labels.size());
  metrics.cross_entropy = mean_cross_entropy(probabilities, labels);
  metrics.confusion = confusion_counts(labels, predictions);
  if (probabilities.cols() >= kTop) metrics.top5_accuracy = top5_accuracy(probabilities, labels);
  add_class_metrics(metrics, static_cast<std::size_t>(probabilities.cols()));
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
