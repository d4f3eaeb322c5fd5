// features/engines/registry.hpp: all engines. A new engine is a value of EngineKind here and a line of the
// table in registry.cpp.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "features/engines/availability.hpp"
#include "features/engines/engine.hpp"

namespace headstart {

/// The engines that can run the network.
enum class EngineKind { kAuto, kNative, kOnednn, kOpencv, kOpencvCuda, kOpencvCudaFp16 };

/// The word for it on the command line and in files.
[[nodiscard]] constexpr std::string_view to_string(EngineKind kind) noexcept {
  switch (kind) {
    case EngineKind::kAuto:
      return "auto";
    case EngineKind::kNative:
      return "native";
    case EngineKind::kOnednn:
      return "onednn";
    case EngineKind::kOpencv:
      return "opencv";
    case EngineKind::kOpencvCuda:
      return "opencv-cuda";
    case EngineKind::kOpencvCudaFp16:
      return "opencv-cuda-fp16";
  }
  return {};
}

/// The precision in which the engine computes features.
[[nodiscard]] Precision precision_of(EngineKind kind) noexcept;

/// Opens the engine and checks its results (see self_check.hpp). kAuto takes opencv-cuda if a device works,
/// else native: a fixed rule, without timing.
/// @throws Error kUsage for options out of range; kFailed saying exactly what is missing, or naming the layer
/// that the engine can't run: a named engine is never replaced by another
[[nodiscard]] std::unique_ptr<Engine> open_engine(const NetworkWeights& weights, EngineKind kind,
                                                  const EngineOptions& options);

/// The engine that open_engine(kAuto) would open here.
[[nodiscard]] EngineKind choose_engine();

/// An engine, and whether it can run here. For `headstart info`.
struct EngineAvailability : Availability {
  EngineKind kind = EngineKind::kAuto;
};
/// The availability of all engines but kAuto.
[[nodiscard]] std::vector<EngineAvailability> list_engines();

}  // namespace headstart
