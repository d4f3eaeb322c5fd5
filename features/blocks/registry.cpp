// features/blocks/registry.cpp: the table of backprop paths.
#include "features/blocks/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "data/error.hpp"
#include "features/blocks/libtorch_blocks.hpp"
#include "features/blocks/native_blocks.hpp"
#include "features/blocks/onednn_blocks.hpp"
#include "features/engines/plugin.hpp"

namespace headstart {
namespace {

struct RegisteredBackprop {
  Backprop backprop;
  std::string_view advice;  // where it is not available
  std::unique_ptr<TrainableBlocks> (*open)(const NetworkWeights& weights, const BlocksOptions& options);
  Availability (*probe)();
};

constexpr std::string_view kWithoutOnednn = "leave --backprop out, or see docs/install.md";
constexpr std::string_view kWithoutLibtorch =
    "leave --backprop out, or build with libtorch (Debian: libtorch-dev)";

constexpr std::array kBackprops{
    RegisteredBackprop{Backprop::kNative, "leave --backprop out", open_native_blocks, probe_native_blocks},
    RegisteredBackprop{Backprop::kOnednn, kWithoutOnednn,
                       [](const NetworkWeights& weights, const BlocksOptions& options) {
                         return open_in_plugin(kOpenOnednnBlocks, "backprop onednn", kWithoutOnednn, weights,
                                               options);
                       },
                       [] { return probe_in_plugin(kProbeOnednnBlocks); }},
    RegisteredBackprop{Backprop::kLibtorch, kWithoutLibtorch,
                       [](const NetworkWeights& weights, const BlocksOptions& options) {
                         return open_in_plugin(kOpenLibtorch, "backprop libtorch", kWithoutLibtorch, weights,
                                               options);
                       },
                       [] { return probe_in_plugin(kProbeLibtorch); }},
};

const RegisteredBackprop& find_backprop(Backprop backprop) noexcept {
  return *std::find_if(kBackprops.begin(), kBackprops.end(),
                       [&](const RegisteredBackprop& path) { return path.backprop == backprop; });
}

void check(const Network& network, const BlocksOptions& options) {
  const auto require = [](bool fits, const char* what) {
    if (!fits) throw std::invalid_argument(what);
  };
  require(options.first_block >= 2 && options.first_block <= block_count(network),
          "trainable blocks: the first block has to be one above a tap");
  require(options.input_size >= network.min_input_size && options.input_size <= network.max_input_size,
          "trainable blocks: input size");
  require(options.batch_size >= 1, "trainable blocks: a batch needs a row");
  require(options.threads >= 0, "trainable blocks: threads");
}

}  // namespace

std::unique_ptr<TrainableBlocks> open_trainable_blocks(const NetworkWeights& weights, Backprop backprop,
                                                       const BlocksOptions& options) {
  check(weights.network, options);
  return find_backprop(backprop).open(weights, options);
}

void check_available(Backprop backprop) {
  const RegisteredBackprop& path = find_backprop(backprop);
  const Availability found = path.probe();
  if (found.available) return;
  throw Error(Error::Kind::kFailed, fmt::format("backprop {} is not available", to_string(backprop)),
              found.detail, path.advice);
}

std::vector<BackpropAvailability> list_backprops() {
  std::vector<BackpropAvailability> paths;
  for (const RegisteredBackprop& path : kBackprops) paths.push_back({path.probe(), path.backprop});
  return paths;
}

}  // namespace headstart
