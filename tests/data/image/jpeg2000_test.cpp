// tests/data/image/jpeg2000_test.cpp: what the JPEG 2000 reader refuses, from images/ with bytes changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "data/image/decode.hpp"
#include "tests/data/image_files.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;

std::string verdict(const std::vector<std::byte>& bytes, const DecodeOptions& options = {}) {
  const auto result = decode_image(bytes, options);
  return std::holds_alternative<Reject>(result) ? std::get<Reject>(result).reason : "accepted";
}

/// `bytes` with `text` at `distance` from where `mark` starts.
std::vector<std::byte> patched(std::vector<std::byte> bytes, std::string_view mark, std::size_t distance,
                               std::string_view text) {
  const std::vector<std::byte> wanted = test::bytes(mark);
  const auto place = std::search(bytes.begin(), bytes.end(), wanted.begin(), wanted.end());
  EXPECT_NE(place, bytes.end());
  const std::vector<std::byte> put = test::bytes(text);
  std::copy(put.begin(), put.end(), place + static_cast<std::ptrdiff_t>(distance));
  return bytes;
}

constexpr std::string_view kSize = "\xFF\x51"sv;  // the marker of the segment that gives sizes

TEST(Jpeg2000Test, EveryByteOfTheDataCounts) {
  const std::vector<std::byte> intact = test::image_bytes("rgb.j2k");
  for (std::size_t length = 100; length < intact.size(); length += 7) {
    const std::vector<std::byte> cut(intact.begin(), intact.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_NE(verdict(cut), "accepted") << length;
  }
}

TEST(Jpeg2000Test, MoreTilesThanTheFileCanHoldCostNoMemory) {
  // 2^16 x 2^16 pixels in tiles of 4 x 4.
  const auto bytes =
      patched(test::image_bytes("rgb.j2k"), kSize, 6, "\0\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\4"sv);
  EXPECT_EQ(verdict(bytes, {.max_pixels = std::uint64_t{1} << 33U}), "JPEG 2000 ends early");
}

TEST(Jpeg2000Test, ComponentsBeyondFourAreRefusedUnread) {
  const auto bytes = patched(test::image_bytes("rgb.j2k"), kSize, 38, "\0\5"sv);
  EXPECT_EQ(verdict(bytes), "JPEG 2000 with this number of components is not supported");
  const auto palette = patched(test::image_bytes("palette.jp2"), "pclr"sv, 6, "\xFF"sv);
  EXPECT_EQ(verdict(palette), "JPEG 2000 with this number of components is not supported");
}

TEST(Jpeg2000Test, ColoursThatAreNeitherRgbNorGreyAreRefused) {
  // The enumerated colour space: 12 is CMYK, 14 L*a*b*, 24 e-YCC.
  const auto of = [](std::string_view kind) {
    return verdict(patched(test::image_bytes("bgr.jp2"), "colr"sv, 7, kind));
  };
  EXPECT_EQ(of("\0\0\0\x10"sv), "accepted");
  EXPECT_EQ(of("\0\0\0\x0C"sv), "JPEG 2000 with CMYK or e-YCC colours is not supported");
  EXPECT_EQ(of("\0\0\0\x18"sv), "JPEG 2000 with CMYK or e-YCC colours is not supported");
}

TEST(Jpeg2000Test, OpenJpegsReasonIsPassedOn) {
  auto bytes = test::image_bytes("rgb.j2k");
  std::fill(bytes.begin() + 60, bytes.begin() + 80, std::byte{0});
  EXPECT_THAT(verdict(bytes), ::testing::StartsWith("JPEG 2000 cannot be decoded: "));
}

}  // namespace
}  // namespace headstart
