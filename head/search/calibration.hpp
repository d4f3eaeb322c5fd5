// head/search/calibration.hpp: temperature scaling: one number that makes a classifier's probabilities honest
// and does not change its predictions (Guo et al. 2017, arXiv 1706.04599, section 4.2).
#pragma once

#include <cstdint>
#include <span>

#include "head/matrix.hpp"
#include "head/training/trainer.hpp"

namespace headstart {

/// The range in which fit_temperature() searches. The default suits logits; scores of another scale need
/// another range.
struct TemperatureRange {
  double lowest = 0.05;
  double highest = 20.0;
};

/// The temperature T that minimises the mean cross-entropy of softmax(logits / T). Fit it on rows that the
/// classifier was not trained on: a classifier is overconfident on its own training rows.
///
/// The cross-entropy is convex in 1 / T, so its derivative changes sign at most once. The search is Newton's
/// method on log T, with bisection where a step leaves the bracket. The search computes in double, sums in
/// row order and uses no randomness. If there is no minimum inside the range, the result is the end towards
/// which the loss falls:
/// - `lowest` for perfectly separated logits: in every row the label has the largest logit, so a lower T is
/// always better;
/// - `highest` for logits that are worse than a guess.
/// If all logits of each row are equal, the temperature changes nothing. Then the result is 1, or the end of
/// the range next to 1.
/// @param logits  [rows, classes], finite
/// @param labels  [rows], each in [0, classes)
/// @throws std::invalid_argument if the shapes disagree, there is no row, a label is out of range, a logit is
/// not finite, or not 0 < lowest <= highest
[[nodiscard]] double fit_temperature(const Matrix& logits, std::span<const std::int32_t> labels,
                                     const TemperatureRange& range = {});

/// Divides the kernel and the bias of the last layer by the temperature, and so the head's logits.
/// @throws std::invalid_argument if the temperature is not above zero, or the head has no layer
[[nodiscard]] Head with_temperature(Head head, double temperature);

}  // namespace headstart
