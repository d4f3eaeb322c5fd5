// tests/features/network/made_up_weights.hpp: weights that no file has, and kernels in other programs'
// order.
#pragma once

#include <cstdint>
#include <vector>

#include "features/network/known_networks.hpp"
#include "features/network/weights.hpp"

namespace headstart::test {

using NetworkLayers = std::vector<ConvolutionWeights>;

/// Weights that differ from layer to layer and from value to value.
[[nodiscard]] const NetworkWeights& made_up_weights(const Network& network = vgg16());

/// The kernel of convolution `layer` as PyTorch and ONNX store it: [out, in, 3, 3]. Nothing for one that
/// is empty.
[[nodiscard]] std::vector<float> outputs_first(const NetworkLayers& layers, std::size_t layer,
                                               const Network& network = vgg16());

/// {out, in, 3, 3}
[[nodiscard]] std::vector<std::uint64_t> outputs_first_shape(std::size_t layer,
                                                             const Network& network = vgg16());

/// torchvision's number of convolution `layer`, as torchvision lists it.
[[nodiscard]] int torchvision_module(std::size_t layer, const Network& network = vgg16());

}  // namespace headstart::test
