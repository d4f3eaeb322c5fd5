// features/engines/opencv_engine.hpp: VGGs through OpenCV's DNN module, on the CPU or on a CUDA device: a
// plugin, because OpenCV brings many libraries.
// Note: the three kinds share their code and differ only in two constants (backend and target). So tests on a
// CPU cover nearly all code that runs on a GPU.
#pragma once

#include <limits>
#include <memory>
#include <string_view>

#include "features/engines/availability.hpp"
#include "features/engines/engine.hpp"
#include "features/engines/opencv_target.hpp"
#include "features/engines/plugin.hpp"

namespace headstart {

/// On a CUDA device, a batch size of 0 means the largest batch that fits into memory, found by trying. It is
/// at most 128 images of 224 x 224. A batch that does not fit, or no longer fits, goes through in halves,
/// quarters and so on, with the same results. No layer runs on the CPU instead.
/// @param options      threads (OpenMP's count if 0) becomes OpenCV's count for the whole process;
/// cv::setNumThreads knows no other scope
/// @param most_images  for tests: as if the device's memory held no more images
/// @throws Error kFailed saying exactly what a CUDA target lacks here; it is never replaced by the CPU
[[nodiscard]] std::unique_ptr<Engine> open_opencv_engine(OpencvTarget target, const NetworkWeights& weights,
                                                         const EngineOptions& options,
                                                         int most_images = std::numeric_limits<int>::max());

/// Whether `target` can run here: OpenCV's version and device, or what is missing.
[[nodiscard]] Availability probe_opencv(OpencvTarget target);

/// Whether an OpenCV exception says that a device has too little memory. @param reason  the exception's err
[[nodiscard]] bool is_out_of_memory(std::string_view reason) noexcept;

// ---- what the plugin exports

extern "C" {
Engine* headstart_open_opencv_engine(OpencvTarget target, const NetworkWeights& weights,
                                     const EngineOptions& options);
void headstart_probe_opencv_engine(Availability& found, OpencvTarget target);
}
inline constexpr PluginFunction<decltype(headstart_open_opencv_engine)> kOpenOpencv{
    "opencv", "headstart_open_opencv_engine"};
inline constexpr PluginFunction<decltype(headstart_probe_opencv_engine)> kProbeOpencv{
    "opencv", "headstart_probe_opencv_engine"};

}  // namespace headstart
