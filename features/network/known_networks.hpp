// features/network/known_networks.hpp: the networks that headstart knows by name. A further network like
// these is one line in known_networks.cpp.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "features/network/network.hpp"

namespace headstart {

/// VGG16's convolutional part. Its ImageNet weights are in the program.
[[nodiscard]] const Network& vgg16();

/// All known networks; the first one is the default.
[[nodiscard]] std::span<const Network> known_networks();
/// The network of that name; nullptr if there is none.
[[nodiscard]] const Network* find_network(std::string_view name);
/// The first one with `count` convolutions; nullptr if there is none.
[[nodiscard]] const Network* find_network_with(std::size_t count);

/// The tap of that name in any known network; nothing if there is none.
[[nodiscard]] std::optional<Tap> parse_tap(std::string_view name);

}  // namespace headstart
