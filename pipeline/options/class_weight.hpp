// pipeline/options/class_weight.hpp: the weight of each class in training.
#pragma once

#include <string_view>

namespace headstart {

/// The weight of an image by its class.
enum class ClassWeight {
  kNone,      ///< every image has the same weight
  kBalanced,  ///< every class has the same total weight: balanced_class_weights()
};

/// The word for it on the command line and in files.
[[nodiscard]] constexpr std::string_view to_string(ClassWeight weight) noexcept {
  switch (weight) {
    case ClassWeight::kNone:
      return "none";
    case ClassWeight::kBalanced:
      return "balanced";
  }
  return {};
}

}  // namespace headstart
