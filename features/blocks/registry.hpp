// features/blocks/registry.hpp: all backprop paths. A new path is a value of Backprop here and a line of the
// table in registry.cpp.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "features/blocks/trainable_blocks.hpp"
#include "features/engines/availability.hpp"

namespace headstart {

/// The backprop path: it computes the gradients.
enum class Backprop { kNative, kOnednn, kLibtorch };

[[nodiscard]] constexpr std::string_view to_string(Backprop backprop) noexcept {
  switch (backprop) {
    case Backprop::kNative:
      return "native";
    case Backprop::kOnednn:
      return "onednn";
    case Backprop::kLibtorch:
      return "libtorch";
  }
  return {};
}

/// @param weights  of the whole network; training starts from those of options.first_block and above
/// @throws Error kFailed if this build or machine can't do it, or naming the layer that the path can't train;
/// std::invalid_argument about the options
[[nodiscard]] std::unique_ptr<TrainableBlocks> open_trainable_blocks(const NetworkWeights& weights,
                                                                     Backprop backprop,
                                                                     const BlocksOptions& options);

/// Before hours of extraction. @throws Error kFailed if this build or machine can't do it
void check_available(Backprop backprop);

/// A backprop path, and whether it can run here. For `headstart info`.
struct BackpropAvailability : Availability {
  Backprop backprop = Backprop::kNative;
};
[[nodiscard]] std::vector<BackpropAvailability> list_backprops();

}  // namespace headstart
