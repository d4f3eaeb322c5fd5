// tests/features/network/made_up_weights.cpp
#include "tests/features/network/made_up_weights.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>

namespace headstart::test {

namespace {

NetworkWeights make_up(const Network& network) {
  NetworkWeights made = empty_weights(network);
  const std::vector<NetworkLayer> layers = convolutions(network);
  std::uint32_t state = 1;
  const auto next = [&state] {
    state = state * 1664525U + 1013904223U;
    return static_cast<float>(state >> 8U) / 16777216.0F - 0.5F;
  };
  for (std::size_t i = 0; i < made.layers.size(); ++i) {
    const auto in = static_cast<std::size_t>(layers[i].in_channels);
    const auto out = static_cast<std::size_t>(layers[i].out_channels);
    made.layers[i].kernel.resize(9 * in * out);
    made.layers[i].bias.resize(out);
    std::generate(made.layers[i].kernel.begin(), made.layers[i].kernel.end(), next);
    std::generate(made.layers[i].bias.begin(), made.layers[i].bias.end(), next);
  }
  made.identity = weights_identity(network, made.layers);
  return made;
}

}  // namespace

const NetworkWeights& made_up_weights(const Network& network) {
  static std::map<std::string, NetworkWeights> made;
  const auto known = made.find(network.name);
  return known != made.end() ? known->second : made.emplace(network.name, make_up(network)).first->second;
}

std::vector<float> outputs_first(const NetworkLayers& layers, std::size_t layer, const Network& network) {
  const auto in = static_cast<std::size_t>(convolutions(network)[layer].in_channels);
  const auto out = static_cast<std::size_t>(convolutions(network)[layer].out_channels);
  const std::vector<float>& kernel = layers[layer].kernel;
  std::vector<float> result(kernel.size());
  if (kernel.empty()) return result;
  float* to = result.data();
  for (std::size_t o = 0; o < out; ++o) {
    for (std::size_t i = 0; i < in; ++i) {
      for (std::size_t tap = 0; tap < 9; ++tap) *to++ = kernel[(tap * in + i) * out + o];
    }
  }
  return result;
}

std::vector<std::uint64_t> outputs_first_shape(std::size_t layer, const Network& network) {
  return {static_cast<std::uint64_t>(convolutions(network)[layer].out_channels),
          static_cast<std::uint64_t>(convolutions(network)[layer].in_channels), 3, 3};
}

int torchvision_module(std::size_t layer, const Network& network) {
  constexpr std::array kVgg16{0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28};
  constexpr std::array kVgg19{0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34};
  return network.name == "vgg19" ? kVgg19.at(layer) : kVgg16.at(layer);
}

}  // namespace headstart::test
