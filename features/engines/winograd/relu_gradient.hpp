// features/engines/winograd/relu_gradient.hpp: the backward pass through ReLU, and through the max-pool
// behind it. Also the gradient of the bias, which is the sum of the gradients that pass through. Invariant:
// the order of all sums is fixed, for any number of threads.
#pragma once

#include <span>

#include "features/engines/winograd/activation_map.hpp"
#include "features/engines/winograd/kernels.hpp"
#include "features/engines/winograd/workspace.hpp"

namespace headstart::winograd {

// Both functions run inside of Workspace::execute(). `image_sums`, [image][channel], is memory for partial
// sums; its size gives the number of images. bias: [channel].

/// Sets gradient = 0 where output <= 0.
void gate(const Kernels& kernels, const float* output, const ActivationMap& output_map, float* gradient,
          const ActivationMap& gradient_map, std::span<double> image_sums, std::span<float> bias,
          Workspace& workspace);

/// Like gate(), from the gradient of the pooled output. In each window the first of the largest values takes
/// the gradient. An odd last row or column takes nothing.
void unpool_and_gate(const Kernels& kernels, const float* output, const ActivationMap& output_map,
                     const float* pooled, const ActivationMap& pooled_map, float* gradient,
                     const ActivationMap& gradient_map, std::span<double> image_sums, std::span<float> bias,
                     Workspace& workspace);

}  // namespace headstart::winograd
