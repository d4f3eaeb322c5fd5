// features/engines/opencv_target.hpp: where OpenCV's DNN module runs a network. Each is an engine.
#pragma once

#include <string_view>

#include "features/engines/precision.hpp"

namespace headstart {

enum class OpencvTarget { kCpu, kCuda, kCudaFp16 };

/// The engine's name: "opencv", "opencv-cuda", "opencv-cuda-fp16".
[[nodiscard]] constexpr std::string_view to_string(OpencvTarget target) noexcept {
  switch (target) {
    case OpencvTarget::kCpu:
      break;
    case OpencvTarget::kCuda:
      return "opencv-cuda";
    case OpencvTarget::kCudaFp16:
      return "opencv-cuda-fp16";
  }
  return "opencv";
}

[[nodiscard]] constexpr Precision precision_of(OpencvTarget target) noexcept {
  return target == OpencvTarget::kCudaFp16 ? Precision::kFp16 : Precision::kFp32;
}

}  // namespace headstart
