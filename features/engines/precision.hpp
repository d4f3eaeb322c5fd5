// features/engines/precision.hpp: the precision in which an engine computes.
#pragma once

#include <string_view>

namespace headstart {

/// Results of one precision class agree within its tolerance (fp32: 1e-5, fp16: 1e-2) and share a cache.
enum class Precision { kFp32, kFp16 };

/// "fp32" or "fp16".
[[nodiscard]] constexpr std::string_view to_string(Precision precision) noexcept {
  return precision == Precision::kFp32 ? "fp32" : "fp16";
}

}  // namespace headstart
