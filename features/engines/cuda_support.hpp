// features/engines/cuda_support.hpp: decides whether OpenCV can run networks on a CUDA device here, and what
// is missing if not. Only OpenCV's build report tells how OpenCV was built: its device count is 0 without
// CUDA, too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "features/engines/cuda_driver.hpp"
#include "features/engines/opencv_target.hpp"

namespace headstart {

/// How OpenCV was built.
struct CudaBuild {
  std::string cuda{};                        ///< version of the toolkit, "13.0"; empty: built without CUDA
  std::string cudnn{};                       ///< "9.19.0"; empty: built without cuDNN
  std::vector<std::string> architectures{};  ///< compute capabilities compiled for, as "90" or "9.0"
};

/// @param report  cv::getBuildInformation()
[[nodiscard]] CudaBuild parse_cuda_build(std::string_view report);

/// The facts that decide whether CUDA can be used. They are separate from the code that finds them, so that
/// each answer can be tested without a device.
struct CudaFacts {
  CudaBuild build;
  CudaDriver driver;
  int devices = 0;                ///< cv::cuda::getCudaEnabledDeviceCount(): -1 without a usable driver
  bool dnn_target_works = false;  ///< the DNN module offers the target that the engine needs
};

/// The facts of this process's OpenCV and this machine. @param wanted  one on CUDA
[[nodiscard]] CudaFacts find_cuda(OpencvTarget wanted);

/// Empty if CUDA can be used, else a text that says what is missing.
[[nodiscard]] std::string missing_for_cuda(const CudaFacts& facts, OpencvTarget target);

/// "CUDA 13.0, cuDNN 9.19.0; NVIDIA H100, compute capability 9.0, 79.1 GiB; driver for CUDA up to 13.0".
[[nodiscard]] std::string describe(const CudaFacts& facts);

}  // namespace headstart
