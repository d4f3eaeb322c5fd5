// head/search/calibration.cpp
#include "head/search/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace headstart {
namespace {

constexpr int kMostSteps = 200;       // bisection alone needs 60 for a double
constexpr double kTolerance = 1e-12;  // of log T

void check(const Matrix& logits, std::span<const std::int32_t> labels, const TemperatureRange& range) {
  if (static_cast<std::size_t>(logits.rows()) != labels.size()) {
    throw std::invalid_argument("temperature: " + std::to_string(logits.rows()) + " rows of logits, but " +
                                std::to_string(labels.size()) + " labels");
  }
  if (labels.empty()) throw std::invalid_argument("temperature: there is no row to fit it to");
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] < 0 || labels[row] >= logits.cols()) {
      throw std::invalid_argument("temperature: label " + std::to_string(labels[row]) + " of row " +
                                  std::to_string(row) + " is out of range: needed 0 to " +
                                  std::to_string(logits.cols() - 1));
    }
  }
  if (!logits.allFinite()) throw std::invalid_argument("temperature: a logit is not finite");
  if (!(range.lowest > 0.0) || !(range.highest >= range.lowest) || !std::isfinite(range.highest))
    throw std::invalid_argument("temperature: the range is not 0 < lowest <= highest");
}

/// d/db of the mean over rows of log sum exp(b z) - b z_label, with b = 1 / T, and its derivative. Both are
/// means, one of E[z] - z_label and one of Var[z], with expectations under softmax(b z).
struct Slope {
  double slope = 0.0;
  double curvature = 0.0;
};

Slope slope_at(const Matrix& logits, std::span<const std::int32_t> labels, double inverse) {
  Slope sum;
  for (Eigen::Index row = 0; row < logits.rows(); ++row) {
    const double own = static_cast<double>(logits(row, labels[static_cast<std::size_t>(row)]));
    const double largest = static_cast<double>(logits.row(row).maxCoeff());
    double total = 0.0;
    double first = 0.0;  // moments of z - largest: no cancellation for logits far from zero
    double second = 0.0;
    for (Eigen::Index c = 0; c < logits.cols(); ++c) {
      const double z = static_cast<double>(logits(row, c)) - largest;
      const double weight = std::exp(inverse * z);
      total += weight;
      first += weight * z;
      second += weight * z * z;
    }
    const double mean = first / total;
    sum.slope += mean - (own - largest);
    sum.curvature += std::max(second / total - mean * mean, 0.0);
  }
  const double rows = static_cast<double>(logits.rows());
  return {sum.slope / rows, sum.curvature / rows};
}

bool says_nothing(const Matrix& logits) {
  for (Eigen::Index row = 0; row < logits.rows(); ++row) {
    if (logits.row(row).maxCoeff() != logits.row(row).minCoeff()) return false;
  }
  return true;
}

}  // namespace

double fit_temperature(const Matrix& logits, std::span<const std::int32_t> labels,
                       const TemperatureRange& range) {
  check(logits, labels, range);
  if (says_nothing(logits)) return std::clamp(1.0, range.lowest, range.highest);
  // The slope rises with 1 / T, so it falls with log T.
  if (slope_at(logits, labels, 1.0 / range.lowest).slope <= 0.0) return range.lowest;
  if (slope_at(logits, labels, 1.0 / range.highest).slope >= 0.0) return range.highest;

  double low = std::log(range.lowest);
  double high = std::log(range.highest);
  double log_temperature = std::clamp(0.0, low, high);
  for (int step = 0; step < kMostSteps && high - low > kTolerance; ++step) {
    const double inverse = std::exp(-log_temperature);
    const Slope at = slope_at(logits, labels, inverse);
    (at.slope > 0.0 ? low : high) = log_temperature;
    // Newton on slope(log T), whose derivative is -curvature / T.
    double next = log_temperature + at.slope / (at.curvature * inverse);
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (std::abs(next - log_temperature) <= kTolerance) return std::exp(next);
    log_temperature = next;
  }
  return std::exp(log_temperature);
}

Head with_temperature(Head head, double temperature) {
  if (!(temperature > 0.0)) throw std::invalid_argument("calibration: the temperature is not above zero");
  if (head.layers.empty()) throw std::invalid_argument("calibration: the head has no layer");
  if (temperature == 1.0) return head;
  const auto factor = static_cast<float>(1.0 / temperature);
  head.layers.back().kernel *= factor;
  head.layers.back().bias *= factor;
  return head;
}

}  // namespace headstart
