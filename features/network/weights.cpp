// features/network/weights.cpp: the identity of weights; keras_weights.cpp reads them.
#include "features/network/weights.hpp"

#include <bit>
#include <span>

namespace headstart {

static_assert(std::endian::native == std::endian::little,
              "weights_identity hashes little-endian floats as they lie in memory");

NetworkWeights empty_weights(const Network& network) {
  return {.network = network,
          .layers = std::vector<ConvolutionWeights>(convolutions(network).size()),
          .preprocessing = network.preprocessing,
          .identity = {},
          .format = {},
          .preprocessing_reason = {}};
}

Sha256 weights_identity(const Network& network, std::span<const ConvolutionWeights> layers) {
  Sha256Stream stream;
  stream.update(std::as_bytes(std::span(network.identity_prefix)));
  for (const ConvolutionWeights& layer : layers) {
    stream.update(std::as_bytes(std::span(layer.kernel)));
    stream.update(std::as_bytes(std::span(layer.bias)));
  }
  return stream.finish();
}

Sha256 identity_up_to(const NetworkWeights& weights, const Tap& tap) {
  return weights_identity(weights.network,
                          std::span(weights.layers).first(first_convolution(weights.network, tap)));
}

}  // namespace headstart
