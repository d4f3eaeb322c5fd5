// features/blocks/parameter_array.hpp: SGD on one array of weights of any layout.
#pragma once

#include <span>

#include "features/blocks/trainable_blocks.hpp"

namespace headstart {

/// Convolution weights or a bias in training. All spans have the same length and layout.
struct ParameterArray {
  std::span<float> weights;
  std::span<float> velocity;
  std::span<const float> gradient;   ///< dLoss/dw, without penalties
  std::span<const float> reference;  ///< W_0 of convolution weights; empty for a bias, which has no penalty
};

/// One SGD step. Uses OpenMP's threads; the result is exactly the same for any number of threads.
void update(const ParameterArray& array, const BlocksStep& step);

/// The array's part of the loss, in double; 0 for a bias. Exactly the same for any number of threads.
[[nodiscard]] double penalty_of(const ParameterArray& array, const BlocksPenalty& penalty);

/// Sum of squares of the gradient plus the penalty's gradient, in double. Exactly the same for any number of
/// threads.
[[nodiscard]] double gradient_squared_norm_of(const ParameterArray& array, const BlocksPenalty& penalty);

}  // namespace headstart
