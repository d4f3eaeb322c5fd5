// features/engines/opencv_plugin.cpp
#include "features/engines/opencv_plugin.hpp"

#include <fmt/format.h>

#include <string>
#include <variant>

#include "data/error.hpp"
#include "features/engines/plugin.hpp"

namespace headstart {
namespace {

const std::variant<Plugin, std::string>& opencv() {
  static const std::variant<Plugin, std::string> kLoaded = Plugin::load("opencv", "OpenCV");
  return kLoaded;
}

}  // namespace

std::unique_ptr<Engine> open_opencv_plugin(OpencvTarget target, const NetworkWeights& weights,
                                           const EngineOptions& options) {
  if (const auto* const why = std::get_if<std::string>(&opencv())) {
    throw Error{Error::Kind::kFailed, fmt::format("engine {} is not available", to_string(target)), *why,
                "choose --engine auto, native or onednn"};
  }
  const auto open = std::get<Plugin>(opencv()).function<OpencvOpen>(kOpencvOpenName);
  return std::unique_ptr<Engine>(open(target, weights, options));
}

Availability probe_opencv_plugin(OpencvTarget target) {
  if (const auto* const why = std::get_if<std::string>(&opencv())) return {false, *why};
  Availability found;
  std::get<Plugin>(opencv()).function<OpencvProbe>(kOpencvProbeName)(target, found);
  return found;
}

}  // namespace headstart
