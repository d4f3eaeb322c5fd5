// features/opencv_engine.hpp: VGG16 through OpenCV's DNN module, on the CPU or on a CUDA device.
// Surprise: the three kinds are one piece of code that differs by two constants (backend and target), so the
// tests that run on a CPU test nearly all of what runs on a GPU.
#pragma once

#include <limits>
#include <memory>
#include <string_view>

#include "features/engine.hpp"

namespace headstart {

/// On a CUDA device a batch of 0 is the largest that its memory holds, found by trying, and at most 128
/// images of 224 x 224. A batch that does not fit, or no longer, goes through in halves, quarters and so on:
/// results are the same. No layer runs on the CPU instead.
/// @param options      kind: kOpencv, kOpencvCuda or kOpencvCudaFp16. threads, or OpenMP's if it is 0,
/// becomes
///                     OpenCV's count for the whole process (cv::setNumThreads knows no other scope)
/// @param most_images  for tests: as if the device's memory held no more
/// @throws Error kFailed saying exactly what a CUDA kind lacks here; it is never replaced by the CPU
[[nodiscard]] std::unique_ptr<Engine> open_opencv_engine(const Vgg16Weights& weights,
                                                         const EngineOptions& options,
                                                         int most_images = std::numeric_limits<int>::max());

/// Whether `kind` can run here: OpenCV's version and device, or what is missing.
[[nodiscard]] EngineAvailability probe_opencv(EngineKind kind);

/// Whether an exception of OpenCV's says that a device's memory did not suffice. @param reason  its err
[[nodiscard]] bool is_out_of_memory(std::string_view reason) noexcept;

}  // namespace headstart
