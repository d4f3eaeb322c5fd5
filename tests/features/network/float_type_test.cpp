// tests/features/network/float_type_test.cpp
#include "features/network/float_type.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace headstart {
namespace {

/// Little-endian bytes of numbers as they lie in memory.
template <typename T>
std::vector<float> decode(FloatType type, const std::vector<T>& stored) {
  return decode_floats(type, std::as_bytes(std::span(stored)));
}

TEST(FloatType, Float16IsReadExactly) {
  // One, minus two, the largest, the smallest normal, the smallest of all, 1/3 rounded.
  const std::vector<std::uint16_t> stored{0x3C00, 0xC000, 0x7BFF, 0x0400, 0x0001, 0x3555};
  const std::vector<float> expected{
      1.0F, -2.0F, 65504.0F, std::ldexp(1.0F, -14), std::ldexp(1.0F, -24), 0.333251953125F};
  EXPECT_EQ(decode(FloatType::kFloat16, stored), expected);
}

TEST(FloatType, Float16KeepsZerosSignAndWhatIsNotFinite) {
  const std::vector<std::uint16_t> stored{0x8000, 0x7C00, 0xFC00, 0x7E01};
  const std::vector<float> values = decode(FloatType::kFloat16, stored);
  EXPECT_TRUE(values[0] == 0.0F && std::signbit(values[0]));
  EXPECT_EQ(values[1], std::numeric_limits<float>::infinity());
  EXPECT_EQ(values[2], -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(values[3]));
}

TEST(FloatType, Bfloat16IsTheUpperHalfOfAFloat) {
  const std::vector<std::uint16_t> stored{0x3F80, 0xC2C8, 0x0001, 0x7F80};
  const std::vector<float> values = decode(FloatType::kBfloat16, stored);
  EXPECT_EQ(values[0], 1.0F);
  EXPECT_EQ(values[1], -100.0F);
  EXPECT_EQ(values[2], std::bit_cast<float>(0x00010000U));
  EXPECT_EQ(values[3], std::numeric_limits<float>::infinity());
}

TEST(FloatType, Float64IsRoundedAndOverflowsToInfinity) {
  const std::vector<double> stored{0.1, 1e300, -1.0 - 1e-12};
  const std::vector<float> expected{0.1F, std::numeric_limits<float>::infinity(), -1.0F};
  EXPECT_EQ(decode(FloatType::kFloat64, stored), expected);
}

TEST(FloatType, Float32NeedsNoAlignmentAndLeavesOutARest) {
  std::vector<std::byte> bytes(1);
  const std::vector<float> values{1.5F, -7.25F};
  const auto stored = std::as_bytes(std::span(values));
  bytes.insert(bytes.end(), stored.begin(), stored.end());
  bytes.resize(bytes.size() + 3);
  EXPECT_EQ(decode_floats(FloatType::kFloat32, std::span(bytes).subspan(1)), values);
}

}  // namespace
}  // namespace headstart
