// head/calibration.hpp: temperature scaling: one number that makes a classifier's confidence honest and
// leaves its predictions as they are (Guo et al. 2017, arXiv 1706.04599, section 4.2).
#pragma once

#include <cstdint>
#include <span>

#include "head/matrix.hpp"
#include "head/trainer.hpp"

namespace headstart {

/// Where the temperature is looked for. The default suits logits; scores of another scale need another.
struct TemperatureRange {
  double lowest = 0.05;
  double highest = 20.0;
};

/// The temperature T that minimises the mean cross-entropy of softmax(logits / T). Fit it on rows that the
/// classifier was not trained on: on its own training rows it is overconfident.
///
/// The cross-entropy is convex in 1 / T, so its derivative changes sign at most once: Newton on log T, with
/// bisection where a step leaves the bracket; in double, sums in row order, no randomness.
/// Without a minimum inside the range the answer is the end towards which the loss falls: `lowest` for
/// perfectly separated logits (every row's label has the largest logit: the colder, the better, without end),
/// `highest` for logits that say less than nothing. Where the temperature changes nothing (every row's logits
/// are all equal) it is 1, or the end of the range next to it.
/// @param logits  [rows, classes], finite
/// @param labels  [rows], each in [0, classes)
/// @throws std::invalid_argument if the shapes disagree, there is no row, a label is out of range, a logit is
/// not finite, or not 0 < lowest <= highest
[[nodiscard]] double fit_temperature(const Matrix& logits, std::span<const std::int32_t> labels,
                                     const TemperatureRange& range = {});

/// The head whose logits are `head`'s divided by the temperature: its last layer's kernel and bias are.
/// @throws std::invalid_argument if the temperature is not above zero, or the head has no layer
[[nodiscard]] Head with_temperature(Head head, double temperature);

}  // namespace headstart
