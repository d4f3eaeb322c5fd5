// tests/data/image/bmp_test.cpp: what the BMP reader refuses, from headers made by hand; what it reads is in
// images/.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/image/decode.hpp"
#include "tests/data/image_files.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;

std::string number(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (; bytes > 0; --bytes, value >>= 8U) text += static_cast<char>(value & 255U);
  return text;
}

/// What a BITMAPINFOHEADER says.
struct Info {
  std::uint32_t bits = 8;
  std::uint32_t compression = 0;
  std::uint32_t width = 4;
  std::uint32_t height = 3;
  std::uint32_t colours = 2;
};

std::string bmp(const Info& info, std::string_view behind, std::uint32_t offset) {
  return "BM" + number(0, 8) + number(offset, 4) + number(40, 4) + number(info.width, 4) +
         number(info.height, 4) + number(1, 2) + number(info.bits, 2) + number(info.compression, 4) +
         number(0, 12) + number(info.colours, 4) + number(0, 4) + std::string(behind);
}

std::string verdict(const std::string& file) {
  const auto result = decode_image(test::bytes(file), {});
  return std::holds_alternative<Reject>(result) ? std::get<Reject>(result).reason : "accepted";
}

constexpr std::string_view kTwoColours = "\1\2\3\0\4\5\6\0"sv;

/// Of two colours and run-length codes.
std::string runs(std::string_view codes) {
  return bmp({.compression = 1}, std::string(kTwoColours) + std::string(codes), 62);
}

TEST(BmpTest, APixelNeedsAColourInThePalette) {
  EXPECT_EQ(verdict(bmp({}, std::string(kTwoColours) + std::string("\0\1\0\1\1\1\1\1\0\0\0\0"sv), 62)),
            "accepted");
  EXPECT_EQ(verdict(bmp({}, std::string(kTwoColours) + std::string("\0\1\0\1\1\2\1\1\0\0\0\0"sv), 62)),
            "BMP has pixels of colours that its palette lacks");
  EXPECT_EQ(verdict(runs("\4\0\0\0\4\1\0\0\4\2\0\1"sv)), "BMP has pixels of colours that its palette lacks");
  EXPECT_EQ(verdict(bmp({.colours = 0}, std::string(14, '\0'), 55)), "BMP has no palette");
}

TEST(BmpTest, RunsThatDoNotReachTheLastRowAreNoPicture) {
  EXPECT_EQ(verdict(runs("\4\0\0\0\4\1\0\0\4\1\0\1"sv)), "accepted");
  EXPECT_EQ(verdict(runs("\4\0\0\0\4\1\0\0\4\1"sv)), "accepted") << "only the end code is missing";
  EXPECT_EQ(verdict(runs("\4\0\0\0\4\1\0\0\1\1\0\1"sv)), "accepted") << "the last row may end early";
  EXPECT_EQ(verdict(runs("\4\0\0\0\4\1\0\0\3\1"sv)), "BMP ends early");
  EXPECT_EQ(verdict(runs("\4\0\0\0\4\1\0\0"sv)), "BMP ends early");
  EXPECT_EQ(verdict(runs("\4\0\0\0\4\1\0\0\0\1"sv)), "BMP lacks its last rows");
  EXPECT_EQ(verdict(runs("\0\1"sv)), "BMP lacks its last rows");
  EXPECT_EQ(verdict(runs("\4\0\0\0\0\2\1"sv)), "BMP ends early") << "within a move";
  EXPECT_EQ(verdict(runs("\4\0\0\0\0\5\1\1\1\1"sv)), "BMP ends early") << "within pixels as they are";
}

TEST(BmpTest, RunsMayFillARowUpAndNotLeaveThePicture) {
  const auto five_wide = [](std::string_view row) {
    std::string codes;
    for (int y = 0; y < 3; ++y) codes += std::string(row) + std::string("\0\0"sv);
    return verdict(bmp({.compression = 1, .width = 5}, std::string(kTwoColours) + codes, 62));
  };
  EXPECT_EQ(five_wide("\5\1"sv), "accepted");
  EXPECT_EQ(five_wide("\x08\1"sv), "accepted") << "filled up to four bytes";
  EXPECT_EQ(five_wide("\x09\1"sv), "BMP has run-length codes that leave the picture");
  EXPECT_EQ(five_wide("\5\1\0\4\1\1\1\1"sv), "BMP has run-length codes that leave the picture");
  EXPECT_EQ(verdict(runs("\0\2\0\3"sv)), "accepted") << "a move to the end";
  EXPECT_EQ(verdict(runs("\0\2\0\4"sv)), "BMP has run-length codes that leave the picture");
  EXPECT_EQ(verdict(runs("\0\2\5\1"sv)), "BMP has run-length codes that leave the picture");
}

TEST(BmpTest, RunsOfAGiantImageTakeMemoryRowByRow) {
  const std::string giant =
      bmp({.compression = 1, .width = 1 << 20, .height = 1 << 20}, std::string(kTwoColours) + "\4\1", 62);
  const auto result = decode_image(test::bytes(giant), {.max_pixels = std::uint64_t{1} << 41U});
  ASSERT_TRUE(std::holds_alternative<Reject>(result));
  EXPECT_EQ(std::get<Reject>(result).reason, "BMP ends early");  // and not "does not fit into memory"
}

TEST(BmpTest, NamesWhatItDoesNotRead) {
  const std::string pixels(64, '\0');
  EXPECT_EQ(verdict(bmp({.bits = 0, .compression = 4}, pixels, 54)),
            "BMP with a JPEG inside is not supported");
  EXPECT_EQ(verdict(bmp({.bits = 0, .compression = 5}, pixels, 54)),
            "BMP with a PNG inside is not supported");
  EXPECT_EQ(verdict(bmp({.bits = 24, .compression = 4}, pixels, 54)),
            "BMP with OS/2's 24-bit run-length codes is not supported");
  EXPECT_EQ(verdict(bmp({.bits = 1, .compression = 3}, pixels, 62)),
            "BMP with OS/2's Huffman coding is not supported");
  EXPECT_EQ(verdict(bmp({.bits = 64}, pixels, 54)), "BMP with 64 bits a pixel is not supported");
  EXPECT_EQ(verdict(bmp({.bits = 8, .compression = 3}, pixels, 62)),
            "BMP with masks and 8 bits a pixel is not valid");
  EXPECT_EQ(verdict(bmp({.bits = 4, .compression = 1}, pixels, 62)),
            "BMP with run-length codes and 4 bits a pixel is not valid");
  EXPECT_EQ(verdict(bmp({.bits = 8, .compression = 11}, pixels, 62)),
            "BMP with compression 11 is not supported");
  EXPECT_EQ(verdict(bmp({.bits = 24}, pixels, 20)), "BMP has its pixels inside its header");
  EXPECT_EQ(verdict(bmp({.bits = 8}, pixels, 20)), "BMP has its pixels inside its header");
  std::string unknown = bmp({.bits = 24}, pixels + pixels, 54);
  unknown[14] = 100;
  EXPECT_EQ(verdict(unknown), "BMP with a header of 100 bytes is not supported");
}

TEST(BmpTest, AMaskIsOneRunOfOnesWithinThePixel) {
  const auto with_green = [](std::uint32_t bits, std::uint32_t mask) {
    return verdict(bmp({.bits = bits, .compression = 3},
                       number(0xF800, 4) + number(mask, 4) + number(0x1F, 4) + std::string(48, '\0'), 66));
  };
  EXPECT_EQ(with_green(16, 0x7E0), "accepted");
  EXPECT_EQ(with_green(16, 0), "accepted") << "a picture without green";
  EXPECT_EQ(with_green(16, 0x5E0), "BMP has an invalid mask 000005E0");
  EXPECT_EQ(with_green(16, 0x107E0), "BMP has an invalid mask 000107E0");
  EXPECT_EQ(with_green(32, 0x107E0), "BMP has an invalid mask 000107E0");
}

}  // namespace
}  // namespace headstart
