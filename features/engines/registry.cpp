// features/engines/registry.cpp: the table of engines, and the rule that picks one.
#include "features/engines/registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "data/error.hpp"
#include "features/engines/cuda_driver.hpp"
#include "features/engines/native_engine.hpp"
#include "features/engines/onednn_engine.hpp"
#include "features/engines/opencv_engine.hpp"
#include "features/engines/plain_engine.hpp"
#include "features/engines/plugin.hpp"
#include "features/engines/self_check.hpp"

namespace headstart {
namespace {

struct RegisteredEngine {
  EngineKind kind;
  Precision precision;
  std::unique_ptr<Engine> (*open)(const NetworkWeights& weights, const EngineOptions& options);
  Availability (*probe)();
};

/// What to do if an engine's plugin is missing.
constexpr std::string_view kWithoutPlugin = "choose --engine auto or native, or see docs/install.md";

template <OpencvTarget target>
constexpr RegisteredEngine opencv_row(EngineKind kind) {
  return {kind, precision_of(target),
          [](const NetworkWeights& weights, const EngineOptions& options) {
            return open_in_plugin(kOpenOpencv, fmt::format("engine {}", to_string(target)), kWithoutPlugin,
                                  target, weights, options);
          },
          [] { return probe_in_plugin(kProbeOpencv, target); }};
}

constexpr std::array kEngines{
    opencv_row<OpencvTarget::kCuda>(EngineKind::kOpencvCuda),
    opencv_row<OpencvTarget::kCudaFp16>(EngineKind::kOpencvCudaFp16),
    RegisteredEngine{EngineKind::kNative, Precision::kFp32, open_native_engine, probe_native},
    RegisteredEngine{EngineKind::kOnednn, Precision::kFp32,
                     [](const NetworkWeights& weights, const EngineOptions& options) {
                       return open_in_plugin(kOpenOnednn, "engine onednn", kWithoutPlugin, weights, options);
                     },
                     [] { return probe_in_plugin(kProbeOnednn); }},
    opencv_row<OpencvTarget::kCpu>(EngineKind::kOpencv),
};

const RegisteredEngine* find_engine(EngineKind kind) noexcept {
  const auto found = std::find_if(kEngines.begin(), kEngines.end(),
                                  [&](const RegisteredEngine& engine) { return engine.kind == kind; });
  return found == kEngines.end() ? nullptr : &*found;
}

void check_options(const Network& network, const EngineOptions& options) {
  if (options.input_size < network.min_input_size || options.input_size > network.max_input_size) {
    throw Error(Error::Kind::kUsage, "input size out of range",
                fmt::format("--input-size {}, needed {} to {}", options.input_size, network.min_input_size,
                            network.max_input_size),
                "pass another --input-size");
  }
  if (options.taps.empty()) {
    throw Error(Error::Kind::kUsage, "no tap to extract", "--tap",
                fmt::format("pass one of {} to {}", network.taps.front().name, network.taps.back().name));
  }
  for (const Tap& tap : options.taps) {
    if (!options.from || is_above(network, tap, *options.from)) continue;
    throw Error(Error::Kind::kUsage, "a tap does not come after the one to begin at",
                fmt::format("{} from {}", to_string(tap), to_string(*options.from)), "begin at a lower tap");
  }
  if (options.batch_size < 0) {
    throw Error(Error::Kind::kUsage, "batch size out of range",
                fmt::format("--engine-batch {}", options.batch_size),
                "pass a positive number, or 0 to leave it to the engine");
  }
}

std::unique_ptr<Engine> open_unchecked(const NetworkWeights& weights, EngineKind kind,
                                       const EngineOptions& options) {
  return find_engine(kind)->open(weights, options);
}

/// The engine with which another one is compared: of other code, with a batch of 1, from the image on. If the
/// other engine begins at a tap, that tap is the last tap of this one.
std::unique_ptr<Engine> open_reference(const NetworkWeights& weights, EngineKind kind,
                                       EngineOptions options) {
  options.batch_size = 1;
  if (options.from) options.taps.push_back(*options.from);
  options.from.reset();
  if (kind != EngineKind::kNative) return open_unchecked(weights, EngineKind::kNative, options);
  const bool has_onednn = find_engine(EngineKind::kOnednn)->probe().available;
  return has_onednn ? open_unchecked(weights, EngineKind::kOnednn, options)
                    : open_plain_engine(weights, options);
}

/// An engine for the VGG blocks below one that begins at a tap; null if it begins with images.
std::unique_ptr<Engine> open_below(const NetworkWeights& weights, EngineKind kind, EngineOptions options) {
  if (!options.from) return nullptr;
  options.batch_size = 1;
  options.taps = {*options.from};
  options.from.reset();
  return open_unchecked(weights, kind, options);
}

}  // namespace

Precision precision_of(EngineKind kind) noexcept {
  const RegisteredEngine* const engine = find_engine(kind);
  return engine == nullptr ? Precision::kFp32 : engine->precision;
}

std::unique_ptr<Engine> open_engine(const NetworkWeights& weights, EngineKind kind,
                                    const EngineOptions& options) {
  check_options(weights.network, options);
  if (kind == EngineKind::kAuto) kind = choose_engine();
  std::unique_ptr<Engine> engine = open_unchecked(weights, kind, options);
  if (has_golden_row(weights, options.input_size)) {
    const std::unique_ptr<Engine> below = open_below(weights, kind, options);
    check_against_keras(*engine, weights.preprocessing, below.get());
  } else {
    const std::unique_ptr<Engine> reference = open_reference(weights, kind, options);
    check_against_engine(*engine, *reference, weights.preprocessing);
  }
  return engine;
}

EngineKind choose_engine() {
  // OpenCV takes 0.1 s to load, so it is not loaded without a device.
  if (!find_cuda_driver().problem.empty()) return EngineKind::kNative;
  // fp16 is only used on request, because its numbers belong to another precision class.
  if (probe_in_plugin(kProbeOpencv, OpencvTarget::kCuda).available) return EngineKind::kOpencvCuda;
  return EngineKind::kNative;
}

std::vector<EngineAvailability> list_engines() {
  std::vector<EngineAvailability> engines;
  for (const RegisteredEngine& engine : kEngines) engines.push_back({engine.probe(), engine.kind});
  return engines;
}

}  // namespace headstart
