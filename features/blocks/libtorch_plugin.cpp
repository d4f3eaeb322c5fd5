// features/blocks/libtorch_plugin.cpp: see libtorch_blocks.hpp. Loading libtorch takes 0.3 s and 400 MB of
// libraries.
#include <string>
#include <variant>

#include "data/error.hpp"
#include "features/blocks/libtorch_blocks.hpp"
#include "features/engines/plugin.hpp"

namespace headstart {
namespace {

const std::variant<Plugin, std::string>& libtorch() {
  static const std::variant<Plugin, std::string> kLoaded = Plugin::load("libtorch", "libtorch");
  return kLoaded;
}

}  // namespace

std::unique_ptr<TrainableBlocks> open_libtorch_blocks(const NetworkWeights& weights,
                                                      const BlocksOptions& options) {
  if (const auto* const why = std::get_if<std::string>(&libtorch())) {
    throw Error{Error::Kind::kFailed, *why, "--backprop libtorch",
                "leave it out, or build with libtorch (Debian: libtorch-dev)"};
  }
  const auto open = std::get<Plugin>(libtorch()).function<LibtorchOpen>(kLibtorchOpenName);
  return std::unique_ptr<TrainableBlocks>(open(weights, options));
}

Availability probe_libtorch_blocks() {
  if (const auto* const why = std::get_if<std::string>(&libtorch())) return {false, *why};
  Availability found;
  std::get<Plugin>(libtorch()).function<LibtorchProbe>(kLibtorchProbeName)(found);
  return found;
}

}  // namespace headstart
