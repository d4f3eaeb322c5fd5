// features/engines/opencv_plugin.hpp: loads the engines of opencv_engine.hpp from a plugin, because OpenCV
// brings many libraries.
#pragma once

#include <memory>

#include "features/engines/availability.hpp"
#include "features/engines/engine.hpp"
#include "features/engines/opencv_target.hpp"

namespace headstart {

/// See open_opencv_engine().
/// @throws Error kFailed if this build has no OpenCV, or OpenCV fails
[[nodiscard]] std::unique_ptr<Engine> open_opencv_plugin(OpencvTarget target, const NetworkWeights& weights,
                                                         const EngineOptions& options);

/// See probe_opencv().
[[nodiscard]] Availability probe_opencv_plugin(OpencvTarget target);

// ---- what the plugin exports

using OpencvOpen = Engine* (*)(OpencvTarget target, const NetworkWeights& weights,
                               const EngineOptions& options);
using OpencvProbe = void (*)(OpencvTarget target, Availability& found);
inline constexpr const char* kOpencvOpenName = "headstart_open_opencv_engine";
inline constexpr const char* kOpencvProbeName = "headstart_probe_opencv";

}  // namespace headstart
