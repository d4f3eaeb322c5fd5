// features/network_input.hpp: what a model file does to its pixels before the first convolution, followed
// from the convolution back to the model's input. Scaling, shifting and exchanged channels are understood;
// what else changes values is named.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "features/preprocessing.hpp"

namespace headstart {

/// The first convolution takes pixel * factor[c] + offset[c] in its channel c.
struct NetworkInput {
  using Channels = std::array<double, 3>;

  Channels factor{1.0, 1.0, 1.0};
  Channels offset{};
  bool reversed = false;   ///< the model's input has red where the convolution takes blue
  bool changed = false;    ///< a layer scales, shifts or reverses
  std::string unreadable;  ///< the first thing found that is not understood; empty: everything is

  /// The value is `by` times another, plus `plus`: speaks of the other from now on. Both in the other's
  /// channels.
  void follow(const Channels& by, const Channels& plus) noexcept;
  /// The value is another one whose channels are reversed.
  void follow_reversal() noexcept;
};

/// The preprocessing that a readable input amounts to for pixels in 0..255; one of the named ones where it
/// differs by rounding only. An input that would reach beyond 300 is taken to be on 0..1.
/// @param kernel_order  the order that the first kernel's values tell, if they do
/// @return nothing if a factor is zero, infinite or no number
[[nodiscard]] std::optional<Preprocessing> preprocessing_of(const NetworkInput& input,
                                                            std::optional<ChannelOrder> kernel_order);

}  // namespace headstart
