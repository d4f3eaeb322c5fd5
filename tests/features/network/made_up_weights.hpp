// tests/features/network/made_up_weights.hpp: VGG16 weights that no file has, and kernels in other programs'
// order.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "features/network/weights.hpp"

namespace headstart::test {

using Vgg16Layers = std::array<ConvolutionWeights, kVgg16Convolutions.size()>;

/// Weights that differ from layer to layer and from value to value.
[[nodiscard]] const Vgg16Weights& made_up_weights();

/// The kernel of convolution `layer` as PyTorch and ONNX store it: [out, in, 3, 3]. Nothing for one that
/// is empty.
[[nodiscard]] std::vector<float> outputs_first(const Vgg16Layers& layers, std::size_t layer);

/// {out, in, 3, 3}
[[nodiscard]] std::vector<std::uint64_t> outputs_first_shape(std::size_t layer);

}  // namespace headstart::test
