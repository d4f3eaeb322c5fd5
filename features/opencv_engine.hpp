// features/opencv_engine.hpp: VGG16 through OpenCV's DNN module, on the CPU or on a CUDA device.
// Surprise: the three kinds are one piece of code that differs by two constants (backend and target), so the
// tests that run on a CPU test nearly all of what runs on a GPU.
#pragma once

#include <memory>

#include "features/engine.hpp"

namespace headstart {

/// @param options  kind: kOpencv, kOpencvCuda or kOpencvCudaFp16. threads, if not 0, becomes OpenCV's thread
/// count for
///                 the whole process (cv::setNumThreads knows no other scope)
/// @throws Error kFailed saying exactly what a CUDA kind lacks here; it is never replaced by the CPU
[[nodiscard]] std::unique_ptr<Engine> open_opencv_engine(const Vgg16Weights& weights,
                                                         const EngineOptions& options);

/// Whether `kind` can run here: OpenCV's version and device, or what is missing.
[[nodiscard]] EngineAvailability probe_opencv(EngineKind kind);

/// What decides whether CUDA can be used; separate from the library so that each answer can be tested without
/// a device.
struct CudaFacts {
  bool built_with_cuda = false;   ///< OpenCV's core knows CUDA
  int devices = 0;                ///< cv::cuda::getCudaEnabledDeviceCount(): -1 without a usable driver
  bool dnn_target_works = false;  ///< the DNN module offers the target that the engine needs
};

/// Empty if CUDA can be used, else what is missing.
[[nodiscard]] std::string missing_for_cuda(const CudaFacts& facts, EngineKind kind);

}  // namespace headstart
