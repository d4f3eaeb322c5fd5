// features/parameter_array.hpp: SGD on one array of weights, whatever its layout is.
#pragma once

#include <span>

#include "features/trainable_blocks.hpp"

namespace headstart {

/// A kernel or a bias in training. All spans are of one length and one layout.
struct ParameterArray {
  std::span<float> weights;
  std::span<float> velocity;
  std::span<const float> gradient;   ///< dLoss/dw, without penalties
  std::span<const float> reference;  ///< W_0 of a kernel; empty for a bias, which has no penalty
};

/// One step. Uses OpenMP's threads; the bits don't depend on their number.
void update(const ParameterArray& array, const BlocksStep& step);

/// The array's part of the loss, in double; 0 for a bias. The bits don't depend on the number of threads.
[[nodiscard]] double penalty_of(const ParameterArray& array, const BlocksPenalty& penalty);

/// Sum of squares of gradient and penalty's gradient, in double, in the same way.
[[nodiscard]] double gradient_squared_norm_of(const ParameterArray& array, const BlocksPenalty& penalty);

}  // namespace headstart
