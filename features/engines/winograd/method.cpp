// features/engines/winograd/method.cpp
#include "features/engines/winograd/method.hpp"

#include <unistd.h>

#include "features/engines/winograd/cook_toom.hpp"

namespace headstart::winograd {
namespace {

std::size_t products(int size, int outputs) {
  const std::size_t across = tiles_across(size, outputs) * static_cast<std::size_t>(outputs + 2);
  return across * across;
}

/// The F(m,3) with the fewest products; of two equal ones the larger.
int cheapest_outputs(int size) {
  int best = kMaxOutputs;
  for (int outputs = kMaxOutputs; outputs >= kMinOutputs; --outputs) {
    if (products(size, outputs) < products(size, best)) best = outputs;
  }
  return best;
}

}  // namespace

Machine this_machine(std::size_t tiles_in_registers) noexcept {
  Machine machine{.tiles_in_registers = tiles_in_registers};
  const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
  if (bytes > 0) machine.l2_bytes = static_cast<std::size_t>(bytes);  // 0 if unknown
  return machine;
}

Method choose_method(int in_channels, int out_channels, int size, const Machine& machine) noexcept {
  Method method{.outputs = cheapest_outputs(size), .fused = out_channels <= 256, .images = 8};
  // Weights come from L3 once for all tiles that are computed at a time. Transformed inputs come from L2 if
  // they fit. If they don't fit, more tiles at a time save reads of the weights instead.
  constexpr std::size_t kTiles = 24;
  const std::size_t inputs = static_cast<std::size_t>(method.outputs) + 2;
  const std::size_t bytes = inputs * inputs * static_cast<std::size_t>(in_channels) * kTiles * sizeof(float);
  const std::size_t wanted = bytes <= machine.l2_bytes ? kTiles : 2 * kTiles;
  const std::size_t parts = (wanted + machine.tiles_in_registers / 2) / machine.tiles_in_registers;
  method.tiles = parts * machine.tiles_in_registers;
  return method;
}

}  // namespace headstart::winograd
