// features/engines/precision.hpp: the precision in which an engine computes.
#pragma once

#include <string_view>

namespace headstart {

/// Results of one precision class agree within its tolerance (fp32: 1e-5, fp16: 1e-2) and share a cache.
enum class Precision { kFp32, kFp16 };

/// The word for it on the command line and in files.
[[nodiscard]] constexpr std::string_view to_string(Precision precision) noexcept {
  switch (precision) {
    case Precision::kFp32:
      return "fp32";
    case Precision::kFp16:
      return "fp16";
  }
  return {};
}

}  // namespace headstart
