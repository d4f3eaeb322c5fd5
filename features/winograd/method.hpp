// features/winograd/method.hpp: how each convolution is computed: which F(m,3), and in which order.
#pragma once

#include <cstddef>

namespace headstart::winograd {

/// Nothing here but `outputs` changes a result by a bit.
struct Method {
  int outputs = 4;  ///< m of F(m,3)
  /// Transform, multiply and transform back a few tiles at a time, which stay in the caches of a thread; else
  /// each of the three for all tiles before the next, point by point, so that the weights are read once.
  bool fused = true;
  std::size_t tiles = 0;   ///< fused: at a time
  std::size_t images = 0;  ///< not fused: at a time
};

/// What a method depends on besides the layer; it changes no result.
struct Machine {
  std::size_t tiles_in_registers = 6;           ///< Kernels::tiles
  std::size_t l2_bytes = std::size_t{1} << 19;  ///< of each core
};

/// This machine's, for kernels that hold so many tiles in registers.
[[nodiscard]] Machine this_machine(std::size_t tiles_in_registers) noexcept;

/// For square maps of `size`. A rule, never a timing, and the same F(m,3) for every batch size and machine,
/// so that no row's bits depend on either.
[[nodiscard]] Method choose_method(int in_channels, int out_channels, int size,
                                   const Machine& machine) noexcept;

/// Tiles of F(outputs,3) side by side on a map.
[[nodiscard]] constexpr std::size_t tiles_across(int size, int outputs) noexcept {
  return static_cast<std::size_t>((size + outputs - 1) / outputs);
}

}  // namespace headstart::winograd
