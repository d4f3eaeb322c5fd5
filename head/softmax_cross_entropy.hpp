// head/softmax_cross_entropy.hpp: the loss, from logits, with its gradient.
#pragma once

#include <cstdint>
#include <span>

#include "head/matrix.hpp"

namespace headstart {

/// In place: every row of logits becomes probabilities. The row maximum is subtracted first: exp can't
/// overflow.
void softmax(Eigen::Ref<Matrix> z);

/// What changes the loss.
struct LossOptions {
  double label_smoothing = 0.0;          ///< targets become y (1 - s) + s / classes, as Keras does
  std::span<const float> class_weights;  ///< [classes], or empty for all ones
};

/// What a batch gave.
struct BatchLoss {
  double loss = 0.0;  ///< sum over rows of weight[label] * cross-entropy, in nats; not divided by the rows
  std::int64_t correct = 0;  ///< rows whose largest logit (the first, in a tie) is the label's
};

/// Softmax cross-entropy of logits z, which become the gradient of loss / rows with respect to z:
/// weight[label] * (softmax(z) - target) / rows.
/// @param z       [rows, classes]; overwritten
/// @param labels  [rows], each in [0, classes)
/// @throws std::invalid_argument naming the first row whose label is out of range; z is then unchanged
[[nodiscard]] BatchLoss softmax_cross_entropy(Eigen::Ref<Matrix> z, std::span<const std::int32_t> labels,
                                              const LossOptions& options);

}  // namespace headstart
