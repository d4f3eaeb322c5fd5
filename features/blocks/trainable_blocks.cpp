// features/blocks/trainable_blocks.cpp: what backprop paths share. Plugins also compile this file.
#include "features/blocks/trainable_blocks.hpp"

#include <fmt/format.h>

#include "features/engines/engine.hpp"

namespace headstart {

std::vector<NetworkLayer> trained_layers(std::string_view backprop, const Network& network,
                                         const BlocksOptions& options) {
  const auto layers = layers_between(network, tap_below(network, options.first_block), network.taps.back());
  for (const NetworkLayer& layer : layers) {
    if (!is_vgg_layer(layer)) throw cannot_run(fmt::format("backprop {}", backprop), layer);
  }
  return {layers.begin(), layers.end()};
}

}  // namespace headstart
