// features/engines/engine.cpp: what engines share. Plugins also compile this file.
#include "features/engines/engine.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace headstart {

std::string from_tap(const std::optional<Tap>& from) {
  return from ? fmt::format(", from {}", from->name) : std::string();
}

std::span<const NetworkLayer> layers_to_run(std::string_view engine, const Network& network,
                                            const EngineOptions& options,
                                            const std::function<bool(const NetworkLayer& layer)>& can) {
  const auto layers = layers_between(network, options.from, highest(network, options.taps));
  const auto strange = std::find_if_not(layers.begin(), layers.end(), can);
  if (strange != layers.end()) throw cannot_run(fmt::format("engine {}", engine), *strange);
  return layers;
}

bool is_vgg_layer(const NetworkLayer& layer) noexcept {
  return layer.window == (layer.kind == LayerKind::kConvolution ? 3 : 2);
}

Error cannot_run(std::string_view who, const NetworkLayer& layer) {
  const std::string_view kind = layer.kind == LayerKind::kConvolution ? "convolution" : "max-pool";
  return {Error::Kind::kFailed, fmt::format("{} can't run a layer of this network", who),
          fmt::format("{}, a {} of {}x{} from {} to {} channels", layer.name, kind, layer.window,
                      layer.window, layer.in_channels, layer.out_channels),
          "choose another one (headstart info lists them)"};
}

}  // namespace headstart
