// features/feature_type.hpp: how features are stored in a cache or a features.h5. In memory they are float32.
#pragma once

#include <cstddef>
#include <string_view>

namespace headstart {

/// float16 keeps 11 significant bits: relative errors up to 4.9e-4.
enum class FeatureType { kFloat32, kFloat16 };

/// The word for it on the command line and in files.
[[nodiscard]] constexpr std::string_view to_string(FeatureType type) noexcept {
  switch (type) {
    case FeatureType::kFloat32:
      return "float32";
    case FeatureType::kFloat16:
      return "float16";
  }
  return {};
}

/// 4 or 2.
[[nodiscard]] constexpr std::size_t bytes_of(FeatureType type) noexcept {
  return type == FeatureType::kFloat16 ? 2 : 4;
}

}  // namespace headstart
