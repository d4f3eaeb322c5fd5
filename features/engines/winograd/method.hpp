// features/engines/winograd/method.hpp: how each convolution is computed: with which F(m,3), and in which
// order.
#pragma once

#include <cstddef>

namespace headstart::winograd {

/// Only `outputs` influences a result, and only by rounding.
struct Method {
  int outputs = 4;  ///< m of F(m,3)
  /// Fused: transforms, multiplies and transforms back a few tiles at a time, which stay in a thread's
  /// caches. Not fused: each of the three steps runs for all tiles before the next step, point by point. So
  /// the weights are read once.
  bool fused = true;
  std::size_t tiles = 0;   ///< fused: how many at a time
  std::size_t images = 0;  ///< not fused: how many at a time
};

/// Values besides the layer on which a method depends; they change no result.
struct Machine {
  std::size_t tiles_in_registers = 6;           ///< Kernels::tiles
  std::size_t l2_bytes = std::size_t{1} << 19;  ///< of each core
};

/// The values of this machine, for compute routines that hold so many tiles in registers.
[[nodiscard]] Machine this_machine(std::size_t tiles_in_registers) noexcept;

/// The method for square maps of `size`. It follows from fixed rules, without timing. F(m,3) is the same for
/// every batch size and machine, so that a row is exactly the same for all of them.
[[nodiscard]] Method choose_method(int in_channels, int out_channels, int size,
                                   const Machine& machine) noexcept;

/// Tiles of F(outputs,3) side by side on a map.
[[nodiscard]] constexpr std::size_t tiles_across(int size, int outputs) noexcept {
  return static_cast<std::size_t>((size + outputs - 1) / outputs);
}

}  // namespace headstart::winograd
