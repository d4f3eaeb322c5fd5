// features/float_type.hpp: the floating-point formats in which other software stores weights, read into
// float32.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace headstart {

/// IEEE 754 binary16, binary32 and binary64, and bfloat16: the upper half of a binary32.
enum class FloatType { kFloat16, kBfloat16, kFloat32, kFloat64 };

/// 2, 2, 4 or 8.
[[nodiscard]] std::size_t bytes_of(FloatType type) noexcept;

/// Little-endian values as float32: exact, NaN and infinity included, but for float64, which is rounded to
/// nearest and becomes infinite where it is too large. The bytes need no alignment; a rest shorter than a
/// value is left out.
[[nodiscard]] std::vector<float> decode_floats(FloatType type, std::span<const std::byte> bytes);

}  // namespace headstart
