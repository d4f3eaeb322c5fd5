// features/precision.hpp: what an engine computes in.
#pragma once

#include <string_view>

namespace headstart {

/// Numbers of one precision class agree to the contract (fp32: 1e-5, fp16: 1e-2) and share a cache.
enum class Precision { kFp32, kFp16 };

/// "fp32" or "fp16".
[[nodiscard]] constexpr std::string_view to_string(Precision precision) noexcept {
  return precision == Precision::kFp32 ? "fp32" : "fp16";
}

}  // namespace headstart
