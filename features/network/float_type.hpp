// features/network/float_type.hpp: reads the floating-point formats of other software's weights into float32.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace headstart {

/// IEEE 754 binary16, binary32 and binary64, and bfloat16: the upper half of a binary32.
enum class FloatType { kFloat16, kBfloat16, kFloat32, kFloat64 };

/// 2, 2, 4 or 8.
[[nodiscard]] std::size_t bytes_of(FloatType type) noexcept;

/// Little-endian values as float32. The conversion is exact, also for NaN and infinity, except for float64. A
/// float64 is rounded to nearest, and becomes infinite if it is too large. The bytes need no alignment; a
/// rest shorter than one value is ignored.
[[nodiscard]] std::vector<float> decode_floats(FloatType type, std::span<const std::byte> bytes);

}  // namespace headstart
