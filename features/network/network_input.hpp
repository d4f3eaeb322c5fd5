// features/network/network_input.hpp: a model file's changes to its pixels before the first convolution,
// followed backwards from the convolution to the model's input. Scaling, shifting and exchanged channels are
// understood; any other layer that changes values is named.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "features/network/preprocessing.hpp"

namespace headstart {

/// The first convolution receives pixel * factor[c] + offset[c] in its channel c.
struct NetworkInput {
  using Channels = std::array<double, 3>;

  Channels factor{1.0, 1.0, 1.0};
  Channels offset{};
  bool reversed = false;   ///< red of the model's input goes to the convolution's blue channel
  bool changed = false;    ///< a layer scales, shifts or reverses
  std::string unreadable;  ///< the first part that is not understood; empty: all is understood

  /// Goes one step back: the present value is `by` times an earlier value, plus `plus`. The members describe
  /// the earlier value from now on. `by` and `plus` are in the earlier value's channels.
  void follow(const Channels& by, const Channels& plus) noexcept;
  /// Goes one step back: the present value is an earlier value with reversed channels.
  void follow_reversal() noexcept;
};

/// The preprocessing of a readable input for pixels in 0..255. If it differs from a named preprocessing only
/// by rounding, the named one. An input that would reach beyond 300 is taken to be on 0..1.
/// @param kernel_order  the channel order that the first kernel's values show, if they show one
/// @return nothing if a factor is zero, infinite or no number
[[nodiscard]] std::optional<Preprocessing> preprocessing_of(const NetworkInput& input,
                                                            std::optional<ChannelOrder> kernel_order);

}  // namespace headstart
