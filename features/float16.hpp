// features/float16.hpp: IEEE 754 binary16, with half of a float32's bytes. It has 11 significant bits:
// relative errors are up to 2^-11 = 4.9e-4. Below 2^-14 (6e-5) absolute errors are up to 2^-25. Note: HDF5
// 1.10 converts, too, but loses the carry into the exponent: it turns 3.9992, whose nearest value is 4, into
// 2. This code uses integer arithmetic without tables or branches on the value, so that a loop over many
// values vectorises.
#pragma once

#include <bit>
#include <cstdint>

namespace headstart {

/// A value as it lies in a file.
struct Float16 {
  std::uint16_t bits = 0;

  bool operator==(const Float16&) const = default;
};

inline constexpr float kLargestFloat16 = 65504.0F;

/// The nearest float16; of two equally near ones the even one. Infinite from 65,520 on; NaN for NaN.
[[nodiscard]] constexpr Float16 to_float16(float value) noexcept {
  constexpr std::uint32_t kInfinity = 0x7F800000;
  constexpr std::uint32_t kSmallestNormal = 0x38800000;  // 2^-14
  constexpr std::uint32_t kTooLarge = 0x47800000;        // 65,536
  constexpr std::uint32_t kHalf = 0x3F000000;            // its last bit is worth 2^-24, float16's smallest
  const auto signed_bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t magnitude = signed_bits & 0x7FFFFFFFU;
  const std::uint32_t special = magnitude > kInfinity ? 0x7E00U : 0x7C00U;
  const float aligned = std::bit_cast<float>(magnitude) + 0.5F;  // the sum rounds like float16
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(aligned) - kHalf;
  const std::uint32_t normal =
      (magnitude - (std::uint32_t{112} << 23U) + 0xFFFU + (magnitude >> 13U & 1U)) >> 13U;
  const std::uint32_t result = magnitude >= kTooLarge        ? special
                               : magnitude < kSmallestNormal ? subnormal
                                                             : normal;
  return {static_cast<std::uint16_t>(result | (signed_bits >> 16U & 0x8000U))};
}

/// Exact; NaN for NaN.
[[nodiscard]] constexpr float to_float32(Float16 value) noexcept {
  constexpr std::uint32_t kSmallestNormal = 0x38800000;  // 2^-14
  constexpr std::uint32_t kExponent = 0x7C00;
  const std::uint32_t magnitude = value.bits & 0x7FFFU;
  const std::uint32_t aligned = magnitude << 13U;
  const std::uint32_t normal = aligned + (std::uint32_t{112} << 23U);
  const std::uint32_t special = aligned + (std::uint32_t{224} << 23U);
  const float subnormal =
      std::bit_cast<float>(aligned + kSmallestNormal) - std::bit_cast<float>(kSmallestNormal);
  const std::uint32_t result = magnitude >= kExponent ? special
                               : magnitude < 0x400U   ? std::bit_cast<std::uint32_t>(subnormal)
                                                      : normal;
  return std::bit_cast<float>(result | (value.bits & std::uint32_t{0x8000}) << 16U);
}

/// `value` after rounding to float16.
[[nodiscard]] constexpr float rounded_to_float16(float value) noexcept {
  return to_float32(to_float16(value));
}

}  // namespace headstart
