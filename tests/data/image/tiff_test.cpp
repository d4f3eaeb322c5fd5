// tests/data/image/tiff_test.cpp: what the TIFF reader refuses, from images/ with tags changed; what it reads
// is there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "data/image/byte_view.hpp"
#include "data/image/decode.hpp"
#include "tests/data/image_files.hpp"

namespace headstart {
namespace {

std::string verdict(const std::vector<std::byte>& bytes, const DecodeOptions& options = {}) {
  const auto result = decode_image(bytes, options);
  return std::holds_alternative<Reject>(result) ? std::get<Reject>(result).reason : "accepted";
}

constexpr std::uint16_t kWidth = 256;
constexpr std::uint16_t kHeight = 257;
constexpr std::uint16_t kBits = 258;
constexpr std::uint16_t kCompression = 259;
constexpr std::uint16_t kPhotometric = 262;
constexpr std::uint16_t kStripOffsets = 273;
constexpr std::uint16_t kSamples = 277;
constexpr std::uint16_t kRowsPerStrip = 278;
constexpr std::uint16_t kStripByteCounts = 279;
constexpr std::uint16_t kColourMap = 320;
constexpr std::uint16_t kTileWidth = 322;
constexpr std::uint16_t kTileLength = 323;
constexpr std::uint16_t kInkSet = 332;
constexpr std::uint16_t kSampleFormat = 339;

/// Where the entry of `tag` stands in a little-endian TIFF.
std::size_t entry_of(const std::vector<std::byte>& bytes, std::uint16_t tag) {
  const ByteView view(bytes, std::endian::little);
  const std::size_t directory = view.u32(4);
  for (std::size_t i = 0; i < view.u16(directory); ++i) {
    if (view.u16(directory + 2 + 12 * i) == tag) return directory + 2 + 12 * i;
  }
  ADD_FAILURE() << "no tag " << tag;
  return directory;
}

/// Of an entry that holds one number, in however many bytes.
std::uint32_t number_of(const std::vector<std::byte>& bytes, std::uint16_t tag) {
  return ByteView(bytes, std::endian::little).u32(entry_of(bytes, tag) + 8);
}

/// `bytes`, whose `tag` is one LONG of that value.
std::vector<std::byte> with_tag(std::vector<std::byte> bytes, std::uint16_t tag, std::uint32_t value) {
  const std::size_t entry = entry_of(bytes, tag);
  const auto put = [&](std::size_t position, std::uint32_t number, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i)
      bytes[position + i] = static_cast<std::byte>(number >> (8 * i) & 255U);
  };
  put(entry + 2, 4, 2);
  put(entry + 4, 1, 4);
  put(entry + 8, value, 4);
  return bytes;
}

TEST(TiffTest, NamesWhatItDoesNotRead) {
  const auto rgb = test::image_bytes("grey_8bit_tags.tif");
  EXPECT_EQ(verdict(with_tag(rgb, kSampleFormat, 2)), "TIFF with signed or complex pixels is not supported");
  EXPECT_EQ(verdict(with_tag(rgb, kSampleFormat, 3)), "TIFF with floating-point pixels is not supported");
  EXPECT_EQ(verdict(with_tag(rgb, kPhotometric, 4)), "TIFF with colours of kind 4 is not supported");
  EXPECT_EQ(verdict(with_tag(rgb, kPhotometric, 32803)), "TIFF with colours of kind 32803 is not supported");
  EXPECT_EQ(verdict(with_tag(rgb, kPhotometric, 3)), "TIFF has no palette");
  EXPECT_EQ(verdict(with_tag(rgb, kBits, 32)), "TIFF with 32 bits of this kind is not supported");
  EXPECT_EQ(verdict(with_tag(rgb, kSamples, 3)), "TIFF with 3 channels of kind 1 is not supported");
  EXPECT_EQ(verdict(with_tag(test::image_bytes("palette_8bit.tif"), kBits, 16)), "TIFF has no palette");
  EXPECT_EQ(verdict(with_tag(test::image_bytes("lab.tif"), kBits, 16)),
            "TIFF with 16 bits of this kind is not supported");
  EXPECT_EQ(verdict(with_tag(test::image_bytes("cmyk.tif"), kInkSet, 2)),
            "TIFF with other inks than CMYK is not supported");
}

TEST(TiffTest, ATileMayNotBeLargerThanTheLimit) {
  auto bytes = with_tag(test::image_bytes("tiles.tif"), kTileWidth, 1 << 16);
  bytes = with_tag(bytes, kTileLength, 1 << 16);
  EXPECT_EQ(verdict(bytes), "TIFF has tiles of more pixels than the limit");
}

TEST(TiffTest, AGiantImageThatTheFileCannotHoldCostsNoMemory) {
  for (const std::uint32_t compression : {1U, 5U, 8U, 32773U}) {  // none, LZW, Deflate, PackBits
    auto bytes = with_tag(test::image_bytes("grey_8bit_tags.tif"), kWidth, 1 << 20);
    bytes = with_tag(bytes, kHeight, 1 << 20);
    bytes = with_tag(bytes, kRowsPerStrip, 1 << 20);
    bytes = with_tag(bytes, kCompression, compression);
    EXPECT_EQ(verdict(bytes, {.max_pixels = std::uint64_t{1} << 40U}), "TIFF ends early") << compression;
  }
}

TEST(TiffTest, RowsThatTheFaxDecoderCannotReadAreNoPicture) {
  auto bytes = test::image_bytes("fax4.tif");
  ASSERT_EQ(verdict(bytes), "accepted");
  bytes[9] ^= std::byte{0x7F};
  EXPECT_THAT(verdict(bytes), ::testing::StartsWith("TIFF cannot be decoded: "));
}

TEST(TiffTest, AJpegInsideIsAsJpegsAre) {
  const auto intact = test::image_bytes("jpeg_444.tif");
  const std::uint32_t length = number_of(intact, kStripByteCounts);
  EXPECT_EQ(verdict(with_tag(intact, kStripByteCounts, length - 100)), "TIFF ends early");

  // An end marker amid the data: what is missing is noted.
  auto damaged = intact;
  const std::size_t end = number_of(intact, kStripOffsets) + length;
  for (std::size_t i = end - 200; i < end; ++i) damaged[i] = i % 2 == 0 ? std::byte{0xFF} : std::byte{0xD9};
  const auto result = decode_image(damaged, {});
  ASSERT_TRUE(std::holds_alternative<DecodedImage>(result)) << std::get<Reject>(result).reason;
  EXPECT_THAT(std::get<DecodedImage>(result).note, ::testing::HasSubstr("Corrupt JPEG data"));
}

// libtiff takes such a file for grey.
TEST(TiffTest, APaletteThatIsNotThereIsMissed) {
  const auto bytes = test::image_bytes("palette_8bit.tif");
  EXPECT_EQ(verdict(with_tag(bytes, kColourMap, 0)), "TIFF has no palette");
}

}  // namespace
}  // namespace headstart
