// head/layers/softmax_cross_entropy.hpp: computes the loss and its gradient from logits.
#pragma once

#include <cstdint>
#include <span>

#include "head/matrix.hpp"

namespace headstart {

/// Turns every row of logits into probabilities, in place. The row's maximum is subtracted first, so that exp
/// can't overflow.
void softmax(Eigen::Ref<Matrix> z);

/// Options that change the loss.
struct LossOptions {
  double label_smoothing = 0.0;          ///< targets become y (1 - s) + s / classes, as Keras does
  std::span<const float> class_weights;  ///< [classes], or empty for all ones
};

/// The result of a batch.
struct BatchLoss {
  /// Sum over rows of weight[label] * cross-entropy, in nats; not divided by the number of rows.
  double loss = 0.0;
  std::int64_t correct = 0;  ///< rows whose largest logit (in a tie the first) is that of the label
};

/// Softmax cross-entropy of the logits z. z becomes the gradient of loss / rows with respect to z:
/// weight[label] * (softmax(z) - target) / rows.
/// @param z       [rows, classes]; overwritten
/// @param labels  [rows], each in [0, classes)
/// @throws std::invalid_argument naming the first row whose label is out of range; z is then unchanged
[[nodiscard]] BatchLoss softmax_cross_entropy(Eigen::Ref<Matrix> z, std::span<const std::int32_t> labels,
                                              const LossOptions& options);

}  // namespace headstart
