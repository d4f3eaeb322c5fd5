// features/network/weights.cpp: the identity of weights; keras_weights.cpp reads them.
#include "features/network/weights.hpp"

#include <bit>
#include <span>

namespace headstart {

static_assert(std::endian::native == std::endian::little,
              "weights_identity hashes little-endian floats as they lie in memory");

Sha256 weights_identity(const std::array<ConvolutionWeights, kVgg16Convolutions.size()>& layers) {
  Sha256Stream stream;
  for (const ConvolutionWeights& layer : layers) {
    stream.update(std::as_bytes(std::span(layer.kernel)));
    stream.update(std::as_bytes(std::span(layer.bias)));
  }
  return stream.finish();
}

}  // namespace headstart
