// features/network/network.hpp: what a frozen network is, as a value: its layers in order, the places whose
// activations can be cached, and what its input is. known_networks.hpp has the networks that headstart knows.
// Everything else takes a Network and asks it.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "features/map_shape.hpp"
#include "features/network/preprocessing.hpp"

namespace headstart {

/// A place in a network whose activations can be cached: the name of a layer, such as "block5_pool". A tap
/// means something only together with its network.
struct Tap {
  std::string name;
  bool operator==(const Tap&) const = default;
};

/// The name of the tap's layer.
[[nodiscard]] inline const std::string& to_string(const Tap& tap) noexcept { return tap.name; }

/// A convolution has stride 1, a zero padding that keeps height and width, a bias, and a ReLU behind it. A
/// max-pool has windows that touch each other, and rounds down as in Keras.
enum class LayerKind { kConvolution, kMaxPool };

/// One layer of a network.
struct NetworkLayer {
  std::string name{};  ///< Keras's
  LayerKind kind = LayerKind::kConvolution;
  int block = 1;  ///< VGG block, from 1; a pool ends it
  int in_channels = 0;
  int out_channels = 0;
  int window = 3;  ///< height and width of the kernel, or of the pool's window

  bool operator==(const NetworkLayer&) const = default;
};

/// The --input-size of any network lies between these two.
inline constexpr int kMinInputSize = 32;
inline constexpr int kMaxInputSize = 1024;

/// Invariants: each layer takes the channels of the one before, the first one takes an image's three. A tap
/// is the name of a layer.
struct Network {
  std::string name{};                  ///< of --network and of every file: "vgg16"
  std::string title{};                 ///< for people: "VGG16"
  std::vector<NetworkLayer> layers{};  ///< from the image up
  std::vector<Tap> taps{};             ///< from the image up
  Tap default_tap{};                   ///< of --tap
  Preprocessing preprocessing{};       ///< of its input with Keras's weights
  int min_input_size = kMinInputSize;
  int max_input_size = kMaxInputSize;
  /// What the identity of its weights begins with. Nothing for VGG16, whose identities are older than the
  /// name.
  std::string identity_prefix{};

  bool operator==(const Network&) const = default;
};

/// The tap of that name; nothing if there is none.
[[nodiscard]] std::optional<Tap> find_tap(const Network& network, std::string_view name);

// The following functions throw std::invalid_argument for a tap that the network doesn't have.

/// Position of a tap in network.taps; a tap with a higher one is nearer to the output.
[[nodiscard]] std::size_t position_of(const Network& network, const Tap& tap);
/// Whether `tap` is nearer to the output than `other`.
[[nodiscard]] bool is_above(const Network& network, const Tap& tap, const Tap& other);
/// The one of `taps` that is nearest to the output.
[[nodiscard]] const Tap& highest(const Network& network, std::span<const Tap> taps);

/// The layers that run from `from` (nothing: from the image) up to `to`.
[[nodiscard]] std::span<const NetworkLayer> layers_between(const Network& network,
                                                           const std::optional<Tap>& from, const Tap& to);

/// The layers from the image up to `tap`.
[[nodiscard]] std::span<const NetworkLayer> layers_to(const Network& network, const Tap& tap);

/// Shape of `tap` for a square input. VGG16's block5_pool at 224 is 7 x 7 x 512.
[[nodiscard]] MapShape tap_shape(const Network& network, const Tap& tap, int input_size);
/// Shape of one image's input to the network: the preprocessed image, or its activations at `from`.
[[nodiscard]] MapShape start_shape(const Network& network, const std::optional<Tap>& from, int input_size);

/// The convolutions, in order. The weights of a network are in this order.
[[nodiscard]] std::vector<NetworkLayer> convolutions(const Network& network);
/// Whether a pool lies behind a convolution of the network.
[[nodiscard]] bool is_pooled(const Network& network, const NetworkLayer& convolution);
/// Position among the convolutions of the first one that runs if the network begins at `from` (nothing: at
/// the image).
[[nodiscard]] std::size_t first_convolution(const Network& network, const std::optional<Tap>& from);

/// How many VGG blocks the network has.
[[nodiscard]] int block_count(const Network& network);
/// The VGG block that ends with `tap`.
[[nodiscard]] int block_of(const Network& network, const Tap& tap);
/// The tap below a VGG block, from 2 on: the start of the network from that block up.
[[nodiscard]] Tap tap_below(const Network& network, int block);

}  // namespace headstart
