// features/network/known_networks.cpp: the VGG family is described by the number of convolutions in each VGG
// block (Simonyan and Zisserman, arXiv 1409.1556, table 1). A network is complete with its line in the table
// below: --network, readers, engines, fine-tuning, model files and exports take all they need from it.
#include "features/network/known_networks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace headstart {
namespace {

constexpr std::array kChannelsOfBlocks{64, 128, 256, 512, 512};  // of each VGG block
using ConvolutionsOfBlocks = std::array<int, kChannelsOfBlocks.size()>;

/// Every convolution is 3x3. Every VGG block ends with a 2x2 max-pool, which is a tap.
Network vgg(std::string name, std::string title, const ConvolutionsOfBlocks& convolutions_of) {
  Network network{.name = std::move(name),
                  .title = std::move(title),
                  .layers = {},
                  .taps = {},
                  .default_tap = {},
                  .preprocessing = kCaffePreprocessing,
                  .identity_prefix = {}};
  int channels = 3;
  for (std::size_t i = 0; i < kChannelsOfBlocks.size(); ++i) {
    const int block = static_cast<int>(i) + 1;
    for (int number = 1; number <= convolutions_of[i]; ++number) {
      network.layers.push_back({.name = fmt::format("block{}_conv{}", block, number),
                                .kind = LayerKind::kConvolution,
                                .block = block,
                                .in_channels = std::exchange(channels, kChannelsOfBlocks[i]),
                                .out_channels = kChannelsOfBlocks[i],
                                .window = 3});
    }
    network.taps.push_back({fmt::format("block{}_pool", block)});
    network.layers.push_back({.name = network.taps.back().name,
                              .kind = LayerKind::kMaxPool,
                              .block = block,
                              .in_channels = channels,
                              .out_channels = channels,
                              .window = 2});
  }
  network.default_tap = network.taps.back();
  // The identities of VGG16's weights are older than the name.
  if (network.name != "vgg16") network.identity_prefix = network.name;
  return network;
}

}  // namespace

std::span<const Network> known_networks() {
  static const std::vector<Network> kNetworks{
      vgg("vgg16", "VGG16", {2, 2, 3, 3, 3}),  // column D
      vgg("vgg19", "VGG19", {2, 2, 4, 4, 4}),  // column E
  };
  return kNetworks;
}

const Network& vgg16() { return known_networks().front(); }

const Network* find_network(std::string_view name) {
  const auto networks = known_networks();
  const auto found = std::find_if(networks.begin(), networks.end(),
                                  [&](const Network& network) { return network.name == name; });
  return found == networks.end() ? nullptr : &*found;
}

const Network* find_network_with(std::size_t count) {
  for (const Network& network : known_networks()) {
    if (convolutions(network).size() == count) return &network;
  }
  return nullptr;
}

std::optional<Tap> parse_tap(std::string_view name) {
  for (const Network& network : known_networks()) {
    if (auto tap = find_tap(network, name)) return tap;
  }
  return std::nullopt;
}

}  // namespace headstart
