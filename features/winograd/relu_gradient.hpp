// features/winograd/relu_gradient.hpp: the way back through ReLU, and through the max-pool behind it; and the
// gradient of the bias before it, which is the sum of what comes through.
// Invariant: the order of all sums is fixed, whatever the number of threads.
#pragma once

#include <span>

#include "features/winograd/activation_map.hpp"
#include "features/winograd/kernels.hpp"
#include "features/winograd/workspace.hpp"

namespace headstart::winograd {

// Both run inside of Workspace::execute(), on as many images as `image_sums`, [image][channel], has room for;
// that is memory for the sums on the way. bias: [channel].

/// gradient = 0 where output <= 0.
void gate(const Kernels& kernels, const float* output, const ActivationMap& output_map, float* gradient,
          const ActivationMap& gradient_map, std::span<double> image_sums, std::span<float> bias,
          Workspace& workspace);

/// The same, from the gradient of the pooled output. In each window the first of the largest takes it; an odd
/// last row or column takes nothing.
void unpool_and_gate(const Kernels& kernels, const float* output, const ActivationMap& output_map,
                     const float* pooled, const ActivationMap& pooled_map, float* gradient,
                     const ActivationMap& gradient_map, std::span<double> image_sums, std::span<float> bias,
                     Workspace& workspace);

}  // namespace headstart::winograd
