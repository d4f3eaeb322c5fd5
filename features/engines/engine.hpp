// features/engines/engine.hpp: the interface of all engines; registry.hpp has them all. An engine runs a
// network, or the part of it above a tap (nearer to the output). It takes a batch of preprocessed images, or
// of activations at that tap, and gives the activations of one or more taps. Invariant: a row never depends
// on the other rows of its batch, so the last batch may be padded with any finite values.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/error.hpp"
#include "features/engines/precision.hpp"
#include "features/network/network.hpp"
#include "features/network/weights.hpp"

namespace headstart {

/// What an engine has to compute.
struct EngineOptions {
  int batch_size = 0;       ///< images a run (the engine batch); 0: what suits the engine
  int input_size = 224;     ///< height and width of the input
  std::vector<Tap> taps{};  ///< of the network; at least one
  /// The network begins with the activations at this tap, which is below all of `taps` (nearer to the image).
  /// None: begins with images.
  std::optional<Tap> from = std::nullopt;
  int threads = 0;  ///< 0: all that the process may use
};

/// The engine and how it computes. Printed, and recorded in every segment.
struct EngineDescription {
  std::string name;            ///< "onednn"
  std::string version;         ///< of the library: "oneDNN 2.6.3"
  std::string implementation;  ///< how it computes: "winograd F(4x4,3x3) in 12 layers, direct in 1"
  Precision precision = Precision::kFp32;
};

/// A network for a fixed batch and input size. Not thread-safe: only one thread may call it. It starts
/// threads of its own.
class Engine {
 public:
  virtual ~Engine() = default;

  /// The engine's name, version and method.
  [[nodiscard]] virtual const EngineDescription& description() const noexcept = 0;
  /// The network that it runs.
  [[nodiscard]] virtual const Network& network() const noexcept = 0;
  /// How many images one run() takes.
  [[nodiscard]] virtual int batch_size() const noexcept = 0;
  /// Height and width of the images, also for an engine that begins at a tap.
  [[nodiscard]] virtual int input_size() const noexcept = 0;
  /// The tap at which the engine begins; none: it begins with images.
  [[nodiscard]] virtual std::optional<Tap> from() const noexcept = 0;
  /// The taps whose activations run() writes, in this order.
  [[nodiscard]] virtual std::span<const Tap> taps() const noexcept = 0;

  /// Runs one batch.
  /// @param batch    [batch_size, h, w, c] with the shape start_shape(network(), from(), input_size()).
  /// Activations, or preprocessed images with channels in the weights' order
  /// @param outputs  one span for each of taps(), [batch_size, h, w, c] with the shape tap_shape()
  virtual void run(std::span<const float> batch, std::span<const std::span<float>> outputs) = 0;
};

// ---- for engines

/// The end of EngineDescription::implementation for an engine that begins at a tap: ", from block4_pool";
/// else empty.
[[nodiscard]] std::string from_tap(const std::optional<Tap>& from);

/// The layers that an engine with these options runs.
/// @param can  whether the engine can run a layer
/// @throws Error kFailed naming the first layer that the engine can't run
[[nodiscard]] std::span<const NetworkLayer> layers_to_run(
    std::string_view engine, const Network& network, const EngineOptions& options,
    const std::function<bool(const NetworkLayer& layer)>& can);

/// Whether a layer is of the VGG family: a convolution of 3x3, or a max-pool of 2x2.
[[nodiscard]] bool is_vgg_layer(const NetworkLayer& layer) noexcept;

/// The error for a layer. @param who  "engine native"
[[nodiscard]] Error cannot_run(std::string_view who, const NetworkLayer& layer);

}  // namespace headstart
