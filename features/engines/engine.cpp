// features/engines/engine.cpp: the engines, and the rule that picks one.
#include "features/engines/engine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "data/error.hpp"
#include "features/engines/cuda_driver.hpp"
#include "features/engines/native_engine.hpp"
#include "features/engines/onednn_engine.hpp"
#include "features/engines/opencv_plugin.hpp"
#include "features/engines/self_check.hpp"

namespace headstart {
namespace {

void check_options(const EngineOptions& options) {
  if (options.input_size < kMinInputSize || options.input_size > kMaxInputSize) {
    throw Error(
        Error::Kind::kUsage, "input size out of range",
        fmt::format("--input-size {}, needed {} to {}", options.input_size, kMinInputSize, kMaxInputSize),
        "pass another --input-size");
  }
  if (options.taps.empty()) {
    throw Error(Error::Kind::kUsage, "no tap to extract", "--tap", "pass one of block1_pool to block5_pool");
  }
  for (const Tap tap : options.taps) {
    if (!options.from || tap > *options.from) continue;
    throw Error(Error::Kind::kUsage, "a tap does not come after the one to begin at",
                fmt::format("{} from {}", to_string(tap), to_string(*options.from)), "begin at a lower tap");
  }
  if (options.batch_size < 0) {
    throw Error(Error::Kind::kUsage, "batch size out of range",
                fmt::format("--engine-batch {}", options.batch_size),
                "pass a positive number, or 0 to leave it to the engine");
  }
}

std::unique_ptr<Engine> open_unchecked(const Vgg16Weights& weights, const EngineOptions& options) {
  if (options.kind == EngineKind::kNative) return open_native_engine(weights, options);
  if (options.kind == EngineKind::kOnednn) return open_onednn_engine(weights, options);
  return open_opencv_plugin(weights, options);
}

/// The engine with which another one is compared: of another library, with a batch of 1, from the image on.
/// If the other engine begins at a tap, that tap is the last tap of this one.
std::unique_ptr<Engine> open_reference(const Vgg16Weights& weights, EngineOptions options) {
  options.kind = options.kind == EngineKind::kNative ? EngineKind::kOnednn : EngineKind::kNative;
  options.batch_size = 1;
  if (options.from) options.taps.push_back(*options.from);
  options.from.reset();
  return open_unchecked(weights, options);
}

/// An engine for the VGG blocks below one that begins at a tap; null if it begins with images.
std::unique_ptr<Engine> open_below(const Vgg16Weights& weights, EngineOptions options) {
  if (!options.from) return nullptr;
  options.batch_size = 1;
  options.taps = {*options.from};
  options.from.reset();
  return open_unchecked(weights, options);
}

}  // namespace

std::unique_ptr<Engine> open_engine(const Vgg16Weights& weights, const EngineOptions& options) {
  check_options(options);
  EngineOptions chosen = options;
  if (chosen.kind == EngineKind::kAuto) chosen.kind = choose_engine();
  std::unique_ptr<Engine> engine = open_unchecked(weights, chosen);
  if (has_golden_row(weights, chosen.input_size)) {
    const std::unique_ptr<Engine> below = open_below(weights, chosen);
    check_against_keras(*engine, weights.preprocessing, below.get());
  } else {
    const std::unique_ptr<Engine> reference = open_reference(weights, chosen);
    check_against_engine(*engine, *reference, weights.preprocessing);
  }
  return engine;
}

EngineKind choose_engine() {
  // OpenCV takes 0.1 s to load, so it is not loaded without a device.
  if (!find_cuda_driver().problem.empty()) return EngineKind::kNative;
  // fp16 is only used on request, because its numbers belong to another precision class.
  if (probe_opencv_plugin(EngineKind::kOpencvCuda).available) return EngineKind::kOpencvCuda;
  return EngineKind::kNative;
}

std::vector<EngineAvailability> list_engines() {
  return {probe_opencv_plugin(EngineKind::kOpencvCuda), probe_opencv_plugin(EngineKind::kOpencvCudaFp16),
          probe_native(), probe_onednn(), probe_opencv_plugin(EngineKind::kOpencv)};
}

}  // namespace headstart
