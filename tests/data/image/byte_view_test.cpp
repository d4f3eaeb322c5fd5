// tests/data/image/byte_view_test.cpp
#include "data/image/byte_view.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "tests/data/image_files.hpp"

namespace headstart {
namespace {

TEST(ByteViewTest, ReadsNumbersInEitherOrder) {
  const auto bytes = test::bytes("\x01\x02\x03\x04\x05\x06\x07\x08");
  const ByteView big(bytes);
  const ByteView little(bytes, std::endian::little);
  EXPECT_EQ(big.u8(1), 0x02U);
  EXPECT_EQ(big.u16(0), 0x0102U);
  EXPECT_EQ(little.u16(0), 0x0201U);
  EXPECT_EQ(little.u24(0), 0x030201U);
  EXPECT_EQ(big.u32(4), 0x05060708U);
  EXPECT_EQ(little.u32(4), 0x08070605U);
  EXPECT_EQ(big.u64(0), 0x0102030405060708U);
}

TEST(ByteViewTest, NothingIsReadPastTheEnd) {
  const auto bytes = test::bytes("\x01\x02\x03");
  const ByteView view(bytes);
  constexpr std::uint64_t kFar = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(view.u16(2), 0U);
  EXPECT_EQ(view.u8(kFar), 0U);
  EXPECT_EQ(view.slice(1, kFar).size(), 2U);
  EXPECT_TRUE(view.slice(kFar, 1).empty());
  EXPECT_FALSE(view.holds(2, kFar));
  EXPECT_FALSE(view.holds(kFar, kFar));
  EXPECT_TRUE(view.holds(3, 0));
  EXPECT_FALSE(view.has(1, "\x02\x03\x04"));
  EXPECT_TRUE(view.has(1, "\x02\x03"));
}

}  // namespace
}  // namespace headstart
