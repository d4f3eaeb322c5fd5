// tests/features/float16_test.cpp: every float16 there is, and the rounding between them against its
// definition.
#include "features/float16.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace headstart {
namespace {

/// What the bits say, by the standard's formula.
float value_of(std::uint16_t bits) {
  const int exponent = (bits >> 10U) & 0x1F;
  const auto fraction = static_cast<float>(bits & 0x3FFU);
  const float magnitude = exponent == 0x1F ? std::numeric_limits<float>::infinity()
                          : exponent == 0  ? std::ldexp(fraction, -24)
                                           : std::ldexp(fraction + 1024.0F, exponent - 25);
  return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

bool is_nan(Float16 value) { return (value.bits & 0x7FFFU) > 0x7C00U; }

TEST(Float16, EveryOneIsReadExactlyAndBecomesItselfAgain) {
  for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const Float16 half{static_cast<std::uint16_t>(bits)};
    if (is_nan(half)) {
      ASSERT_TRUE(std::isnan(to_float32(half)) && is_nan(to_float16(to_float32(half)))) << bits;
    } else {
      ASSERT_EQ(to_float32(half), value_of(half.bits)) << bits;
      ASSERT_EQ(std::signbit(to_float32(half)), bits >= 0x8000) << bits;
      ASSERT_EQ(to_float16(to_float32(half)), half) << bits;
    }
  }
}

TEST(Float16, RoundingIsToTheNearestAndTiesAreEven) {
  for (std::uint16_t bits = 0; bits < 0x7BFF; ++bits) {
    const float low = value_of(bits);
    const float high = value_of(static_cast<std::uint16_t>(bits + 1));
    const float middle = low + (high - low) / 2.0F;
    ASSERT_EQ(rounded_to_float16(std::nextafter(middle, low)), low) << bits;
    ASSERT_EQ(rounded_to_float16(middle), bits % 2 == 0 ? low : high) << bits;
    ASSERT_EQ(rounded_to_float16(std::nextafter(middle, high)), high) << bits;
    ASSERT_EQ(rounded_to_float16(-middle), bits % 2 == 0 ? -low : -high) << bits;
  }
}

TEST(Float16, NoValueMovesByMoreThanStated) {
  EXPECT_TRUE(rc::check([] {
    const float value = std::bit_cast<float>(*rc::gen::arbitrary<std::uint32_t>());
    RC_PRE(std::abs(value) <= kLargestFloat16);
    const float error = std::abs(rounded_to_float16(value) - value);
    RC_ASSERT(error <= std::max(std::ldexp(std::abs(value), -11), std::ldexp(1.0F, -25)));
    RC_ASSERT(rounded_to_float16(rounded_to_float16(value)) == rounded_to_float16(value));
  }));
}

TEST(Float16, WhatIsTooLargeIsInfinite) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(rounded_to_float16(kLargestFloat16), kLargestFloat16);
  EXPECT_EQ(rounded_to_float16(std::nextafter(65520.0F, 0.0F)), kLargestFloat16);
  for (const float value : {65520.0F, 65536.0F, 1e30F, infinity}) {
    EXPECT_EQ(rounded_to_float16(value), infinity);
    EXPECT_EQ(rounded_to_float16(-value), -infinity);
  }
  EXPECT_TRUE(std::isnan(rounded_to_float16(std::nanf(""))));
}

}  // namespace
}  // namespace headstart
