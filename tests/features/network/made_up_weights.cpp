// tests/features/network/made_up_weights.cpp
#include "tests/features/network/made_up_weights.hpp"

#include <algorithm>

namespace headstart::test {

const Vgg16Weights& made_up_weights() {
  static const Vgg16Weights weights = [] {
    Vgg16Weights made;
    std::uint32_t state = 1;
    const auto next = [&state] {
      state = state * 1664525U + 1013904223U;
      return static_cast<float>(state >> 8U) / 16777216.0F - 0.5F;
    };
    for (std::size_t i = 0; i < made.layers.size(); ++i) {
      const auto in = static_cast<std::size_t>(kVgg16Convolutions[i].in_channels);
      const auto out = static_cast<std::size_t>(kVgg16Convolutions[i].out_channels);
      made.layers[i].kernel.resize(9 * in * out);
      made.layers[i].bias.resize(out);
      std::generate(made.layers[i].kernel.begin(), made.layers[i].kernel.end(), next);
      std::generate(made.layers[i].bias.begin(), made.layers[i].bias.end(), next);
    }
    made.identity = weights_identity(made.layers);
    return made;
  }();
  return weights;
}

std::vector<float> outputs_first(const Vgg16Layers& layers, std::size_t layer) {
  const auto in = static_cast<std::size_t>(kVgg16Convolutions[layer].in_channels);
  const auto out = static_cast<std::size_t>(kVgg16Convolutions[layer].out_channels);
  std::vector<float> result;
  if (layers[layer].kernel.empty()) return result;
  result.reserve(9 * in * out);
  for (std::size_t o = 0; o < out; ++o) {
    for (std::size_t i = 0; i < in; ++i) {
      for (std::size_t tap = 0; tap < 9; ++tap)
        result.push_back(layers[layer].kernel[(tap * in + i) * out + o]);
    }
  }
  return result;
}

std::vector<std::uint64_t> outputs_first_shape(std::size_t layer) {
  return {static_cast<std::uint64_t>(kVgg16Convolutions[layer].out_channels),
          static_cast<std::uint64_t>(kVgg16Convolutions[layer].in_channels), 3, 3};
}

}  // namespace headstart::test
