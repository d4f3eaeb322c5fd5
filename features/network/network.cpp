// features/network/network.cpp: see network.hpp.
#include "features/network/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace headstart {
namespace {

/// How many layers run up to `tap`, from the image.
std::size_t layers_up_to(const Network& network, const Tap& tap) {
  const auto found = std::find_if(network.layers.begin(), network.layers.end(),
                                  [&](const NetworkLayer& layer) { return layer.name == tap.name; });
  if (found == network.layers.end())
    throw std::invalid_argument(fmt::format("{} has no layer {}", network.title, tap.name));
  return static_cast<std::size_t>(found - network.layers.begin()) + 1;
}

/// How many layers run below the start of the network at `from`.
std::size_t layers_below(const Network& network, const std::optional<Tap>& from) {
  return from ? layers_up_to(network, *from) : 0;
}

bool convolves(const NetworkLayer& layer) { return layer.kind == LayerKind::kConvolution; }

}  // namespace

std::optional<Tap> find_tap(const Network& network, std::string_view name) {
  const auto found = std::find_if(network.taps.begin(), network.taps.end(),
                                  [&](const Tap& tap) { return tap.name == name; });
  return found == network.taps.end() ? std::nullopt : std::optional(*found);
}

std::size_t position_of(const Network& network, const Tap& tap) {
  const auto found = std::find(network.taps.begin(), network.taps.end(), tap);
  if (found == network.taps.end())
    throw std::invalid_argument(fmt::format("{} has no tap {}", network.title, tap.name));
  return static_cast<std::size_t>(found - network.taps.begin());
}

bool is_above(const Network& network, const Tap& tap, const Tap& other) {
  return position_of(network, tap) > position_of(network, other);
}

const Tap& highest(const Network& network, std::span<const Tap> taps) {
  if (taps.empty()) throw std::invalid_argument("no tap");
  return *std::max_element(taps.begin(), taps.end(),
                           [&](const Tap& a, const Tap& b) { return is_above(network, b, a); });
}

std::span<const NetworkLayer> layers_between(const Network& network, const std::optional<Tap>& from,
                                             const Tap& to) {
  const std::size_t first = layers_below(network, from);
  const std::size_t end = layers_up_to(network, to);
  if (end < first) throw std::invalid_argument(fmt::format("{} does not come after {}", to.name, from->name));
  return std::span(network.layers).subspan(first, end - first);
}

std::span<const NetworkLayer> layers_to(const Network& network, const Tap& tap) {
  return layers_between(network, std::nullopt, tap);
}

MapShape start_shape(const Network& network, const std::optional<Tap>& from, int input_size) {
  MapShape shape{input_size, input_size, network.layers.front().in_channels};
  for (const NetworkLayer& layer : std::span(network.layers).first(layers_below(network, from))) {
    shape.channels = layer.out_channels;
    if (layer.kind == LayerKind::kMaxPool) shape.height = shape.width = shape.height / layer.window;
  }
  return shape;
}

MapShape tap_shape(const Network& network, const Tap& tap, int input_size) {
  return start_shape(network, tap, input_size);
}

std::vector<NetworkLayer> convolutions(const Network& network) {
  std::vector<NetworkLayer> found;
  std::copy_if(network.layers.begin(), network.layers.end(), std::back_inserter(found), convolves);
  return found;
}

bool is_pooled(const Network& network, const NetworkLayer& convolution) {
  const std::size_t next = layers_up_to(network, Tap{convolution.name});
  return next < network.layers.size() && network.layers[next].kind == LayerKind::kMaxPool;
}

std::size_t first_convolution(const Network& network, const std::optional<Tap>& from) {
  const auto end = network.layers.begin() + static_cast<std::ptrdiff_t>(layers_below(network, from));
  return static_cast<std::size_t>(std::count_if(network.layers.begin(), end, convolves));
}

int block_count(const Network& network) { return network.layers.back().block; }

int block_of(const Network& network, const Tap& tap) {
  return network.layers[layers_up_to(network, tap) - 1].block;
}

Tap tap_below(const Network& network, int block) {
  for (const Tap& tap : network.taps) {
    if (block_of(network, tap) == block - 1) return tap;
  }
  throw std::invalid_argument(fmt::format("{} has no tap below block {}", network.title, block));
}

}  // namespace headstart
