// features/network/all_finite.hpp: checks whether all floats are finite, at the speed of memory.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

namespace headstart {

/// Whether no value is infinite or NaN. Only infinity and NaN have the largest exponent. There is no early
/// exit, so the loop vectorises.
[[nodiscard]] inline bool all_finite(std::span<const float> values) noexcept {
  constexpr std::uint32_t kExponent = 0x7F800000;
  std::uint32_t largest = 0;
  for (const float value : values)
    largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & kExponent);
  return largest != kExponent;
}

}  // namespace headstart
