// tests/features/network/vgg16_layers.hpp: VGG16's convolutions, for tests that count them.
#pragma once

#include <cstddef>
#include <vector>

#include "features/network/known_networks.hpp"

namespace headstart::test {

/// The thirteen convolutions, in order.
inline const std::vector<NetworkLayer>& vgg16_convolutions() {
  static const std::vector<NetworkLayer> layers = convolutions(vgg16());
  return layers;
}

/// Whether a pool follows a convolution.
inline bool ends_block(std::size_t convolution) {
  return is_pooled(vgg16(), vgg16_convolutions()[convolution]);
}

}  // namespace headstart::test
