// tests/data/image/decode_test.cpp: images/ against what make_images.py says they are, and the ways an image
// can be wrong.
#include "data/image/decode.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <thread>

#include "tests/data/image_files.hpp"
#include "tests/support/golden.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;
using ::testing::HasSubstr;

std::string reason(std::span<const std::byte> bytes, const DecodeOptions& options = {}) {
  const auto result = decode_image(bytes, options);
  return std::holds_alternative<Reject>(result) ? std::get<Reject>(result).reason : "accepted";
}

DecodedImage decoded(std::span<const std::byte> bytes, const DecodeOptions& options = {}) {
  auto result = decode_image(bytes, options);
  if (const auto* reject = std::get_if<Reject>(&result)) {
    ADD_FAILURE() << reject->reason;
    return {};
  }
  return std::get<DecodedImage>(std::move(result));
}

std::vector<std::byte> sample_jpeg() {
  return test::bytes_of(test::source_path("samples/openclipart10/bugs/bee2_mimooh_01.jpg"));
}

/// Position of `text` in `bytes`, from `start`.
std::size_t find(std::span<const std::byte> bytes, std::string_view text, std::size_t start = 0) {
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t position = all.find(text, start);
  EXPECT_NE(position, std::string_view::npos);
  return position;
}

class EachImageTest : public ::testing::TestWithParam<std::string> {};

TEST_P(EachImageTest, DecodesToTheExpectedPicture) {
  const DecodedImage result = decoded(test::image_bytes(GetParam()));
  const RgbImage expected = test::expected_picture(GetParam());
  EXPECT_EQ(result.note, "");
  ASSERT_EQ(result.image.height, expected.height);
  ASSERT_EQ(result.image.width, expected.width);
  EXPECT_EQ(result.image.pixels, expected.pixels);
}

TEST_P(EachImageTest, IsRejectedWhenItEndsEarly) {
  const std::string& name = GetParam();
  // What the TIFF directory or JP2 boxes refer to may lie before the end; baseline text formats end anywhere.
  const std::vector<std::byte> bytes = test::image_bytes(name);
  EXPECT_NE(reason(std::span(bytes).first(bytes.size() / 2)), "accepted");
}

std::string test_name(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Images, EachImageTest, ::testing::ValuesIn(test::decodable_image_names()),
                         test_name);

TEST(DecodeTest, ThereAreImagesToTest) { EXPECT_GE(test::decodable_image_names().size(), 85U); }

TEST(DecodeTest, NamesWhatItDoesNotDecode) {
  EXPECT_EQ(reason(test::image_bytes("float.tif")), "TIFF with floating-point pixels is not supported");
  EXPECT_EQ(reason(test::image_bytes("no_palette.gif")), "GIF has no palette");
  EXPECT_EQ(reason(test::image_bytes("cmyk.jp2")), "JPEG 2000 with CMYK or e-YCC colours is not supported");
  EXPECT_EQ(reason({}), "is empty");
}

TEST(DecodeTest, AlphaCanBeDropped) {
  const DecodeOptions drop{.alpha = Alpha::kDrop};
  const RgbImage colours = test::expected_picture("rgb.png");
  for (const char* name :
       {"rgba.png", "rgb_key.png", "rgba16.png", "rgba.webp", "rgba.tif", "rgba16.tif", "alpha.bmp"}) {
    EXPECT_EQ(decoded(test::image_bytes(name), drop).image, colours) << name;
  }
  EXPECT_EQ(decoded(test::image_bytes("grey_key.png"), drop).image, test::expected_picture("grey.png"));
}

TEST(DecodeTest, ARangeMapsEveryFormatOfMoreThanEightBits) {
  const DecodeOptions range{.range = SampleRange{0, 4095, false}};
  // 4095 of 65535 (of 4095 in the JPEG 2000 file) becomes white, and half of it the middle.
  const auto bytes = [&](const std::vector<std::byte>& file) { return decoded(file, range).image.pixels; };
  const std::vector<std::uint8_t> expected{0, 0, 0, 128, 128, 128, 255, 255, 255, 255, 255, 255};
  EXPECT_EQ(bytes(test::bytes("P5 4 1 65535\n\0\0\x08\0\x0F\xFF\xFF\xFF"sv)), expected);
  EXPECT_EQ(bytes(test::bytes("P2 4 1 65535\n0 2048 4095 65535"sv)), expected);
  EXPECT_EQ(bytes(test::bytes("P2 3 1 255\n0 16 255"sv)),
            (std::vector<std::uint8_t>{0, 0, 0, 16, 16, 16, 255, 255, 255}))
      << "bytes stay as they are";
  for (const char* name :
       {"grey16.tif", "rgba16.tif", "planes16.tif", "rgb16.j2k", "grey16.png", "rgba16.png"}) {
    const std::vector<std::byte> file = test::image_bytes(name);
    EXPECT_NE(decoded(file, range).image, decoded(file).image) << name;
    // From 0 to 65280 the high byte is within one of the proportion.
    const RgbImage usual = decoded(file).image;
    const RgbImage same = decoded(file, {.range = SampleRange{0, 65535, false}}).image;
    for (std::size_t i = 0; i < usual.pixels.size(); ++i)
      ASSERT_NEAR(usual.pixels[i], same.pixels[i], 1) << name;
  }
  for (const char* name : {"rgb.tif", "rgb.j2k", "rgb.bmp", "rgb.png", "grey_4bit.tif"})
    EXPECT_EQ(decoded(test::image_bytes(name), range).image, test::expected_picture(name)) << name;
}

TEST(DecodeTest, TwelveBitsInSixteenAreNoted) {
  EXPECT_EQ(decoded(test::bytes("P2 3 1 65535\n0 2048 4095"sv)).note, kNarrowRangeNote);
  EXPECT_EQ(decoded(test::bytes("P2 3 1 4095\n0 2048 4095"sv)).note, "");
  EXPECT_EQ(decoded(test::bytes("P2 3 1 65535\n0 2048 4095"sv), {.range = SampleRange{0, 4095, false}}).note,
            "");
}

TEST(DecodeTest, ExifCanBeIgnored) {
  const DecodeOptions ignore{.ignore_exif = true};
  const RgbImage stored = test::expected_picture("rgb.png");
  for (const char* name :
       {"orientation_6.png", "orientation_8.webp", "orientation_7.tif", "orientation_2.tif"}) {
    EXPECT_EQ(decoded(test::image_bytes(name), ignore).image, stored) << name;
  }
}

TEST(DecodeTest, AnImageAboveTheLimitIsRejectedByItsHeader) {
  const std::vector<std::byte> bytes = test::image_bytes("rgb.png");
  EXPECT_EQ(reason(bytes, {.max_pixels = 47}), "is 8 x 6 = 48 pixels, more than the limit of 47");
  EXPECT_EQ(reason(bytes, {.max_pixels = 48}), "accepted");
}

TEST(DecodeTest, ASmallFileThatClaimsAGiantImageCostsNoMemory) {
  // 1000 megapixels within the limit: would be 3 GB of pixels.
  const DecodeOptions options{.max_pixels = 1'000'000'000};
  std::vector<std::byte> jpeg = test::image_bytes("420.jpg");
  const std::size_t frame = find(jpeg, "\xFF\xC0"sv);
  for (std::size_t i = 5; i < 9; ++i) jpeg[frame + i] = std::byte{0x7A};
  EXPECT_EQ(reason(jpeg, options), "JPEG ends early");

  const std::string_view text =
      "BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\0\x70\0\0\0\x70\0\0\1\0\x18\0\0\0\0\0"sv;
  EXPECT_EQ(reason(test::bytes(text), options), "BMP ends early");
  EXPECT_EQ(reason(test::bytes("P6\n30000 30000\n255\nabc"), options), "PNM ends early");

  std::vector<std::byte> gif = test::image_bytes("one_pixel.gif");
  const std::size_t picture = find(gif, ","sv, find(gif, "hello"sv));
  for (std::size_t i = 5; i < 9; ++i) gif[picture + i] = std::byte{0x7A};
  EXPECT_EQ(reason(gif, options), "GIF ends early");
}

TEST(DecodeTest, AJpegWithoutItsEndIsRejectedEvenBehindAnotherWarning) {
  std::vector<std::byte> bytes = sample_jpeg();
  ASSERT_EQ(reason(bytes), "accepted");
  EXPECT_EQ(reason(std::span(bytes).first(bytes.size() - 2)), "JPEG ends early")
      << "only the end marker is gone";
  // Garbage between two segments is the warning that TurboJPEG reports first, and only.
  const std::size_t scan = find(bytes, "\xFF\xDA"sv);
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(scan), 3, std::byte{0x55});
  EXPECT_THAT(decoded(bytes).note, HasSubstr("extraneous bytes"));
  EXPECT_EQ(reason(std::span(bytes).first(bytes.size() / 2)), "JPEG ends early");
}

TEST(DecodeTest, DamagedJpegDataIsNotedAndBytesBehindTheEndAreNothing) {
  std::vector<std::byte> bytes = sample_jpeg();
  const RgbImage intact = decoded(bytes).image;
  bytes.insert(bytes.end(), 1000, std::byte{0x42});
  EXPECT_EQ(decoded(bytes).note, "");
  EXPECT_EQ(decoded(bytes).image, intact);

  bytes = sample_jpeg();
  const std::size_t middle = find(bytes, "\xFF\xDA"sv) + 600;
  bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(middle), bytes.end() - 2);
  const DecodedImage damaged = decoded(bytes);
  EXPECT_THAT(damaged.note, HasSubstr("Corrupt JPEG data"));
  EXPECT_EQ(damaged.image.height, intact.height);
  EXPECT_NE(damaged.image, intact);
}

TEST(DecodeTest, ADamagedJpegLeavesNothingBehindForTheNextOne) {
  const std::vector<std::byte> intact = test::image_bytes("420.jpg");
  std::vector<std::byte> damaged = intact;
  damaged[find(damaged, "\xFF\xC4"sv) + 6] = std::byte{0xFF};  // more codes of one bit than there can be
  EXPECT_THAT(reason(damaged), HasSubstr("JPEG cannot be decoded: Bogus Huffman table definition"));
  EXPECT_EQ(decoded(intact).image, test::expected_picture("420.jpg"));

  std::vector<std::byte> no_tables = intact;
  while (true) {
    const std::string_view text(reinterpret_cast<const char*>(no_tables.data()), no_tables.size());
    const std::size_t table = text.find("\xFF\xDB"sv);
    if (table == std::string_view::npos) break;
    const auto start = no_tables.begin() + static_cast<std::ptrdiff_t>(table);
    const auto length =
        std::to_integer<std::ptrdiff_t>(start[2]) * 256 + std::to_integer<std::ptrdiff_t>(start[3]);
    no_tables.erase(start, start + 2 + length);
  }
  EXPECT_THAT(reason(no_tables), HasSubstr("Quantization table 0x00 was not defined"));
}

TEST(DecodeTest, AnExifThumbnailIsNotTakenForTheImage) {
  // A whole small JPEG inside an APP1 segment, as cameras write it.
  std::vector<std::byte> bytes = sample_jpeg();
  const std::vector<std::byte> thumbnail = test::image_bytes("420.jpg");
  std::vector<std::byte> segment = test::bytes("\xFF\xE1\0\0Exif\0\0II*\0\x08\0\0\0\0\0"sv);
  segment.insert(segment.end(), thumbnail.begin(), thumbnail.end());
  segment[2] = static_cast<std::byte>((segment.size() - 2) >> 8U);
  segment[3] = static_cast<std::byte>((segment.size() - 2) & 0xFFU);
  bytes.insert(bytes.begin() + 2, segment.begin(), segment.end());
  EXPECT_EQ(decoded(bytes).image, decoded(sample_jpeg()).image);
  EXPECT_EQ(reason(std::span(bytes).first(segment.size() + 700)), "JPEG ends early");
}

TEST(DecodeTest, ADamagedGifIsNamedAsSuch) {
  const std::vector<std::byte> intact = test::image_bytes("palette.gif");
  std::vector<std::byte> bytes = intact;
  bytes.erase(bytes.end() - 40, bytes.end());
  EXPECT_EQ(reason(bytes), "GIF ends early");
  bytes = intact;
  const std::size_t data = find(bytes, ","sv, find(bytes, "hello"sv)) + 12;  // behind the size of a block
  for (std::size_t i = 4; i < 40; ++i) bytes[data + i] = std::byte{0xFF};
  EXPECT_EQ(reason(bytes), "GIF cannot be decoded: Image is defective, decoding aborted");
  // A palette of two colours, and indices up to 249.
  bytes = intact;
  bytes[10] = std::byte{0xF0};
  bytes.erase(bytes.begin() + 13 + 6, bytes.begin() + 13 + 768);
  EXPECT_EQ(reason(bytes), "GIF has a colour that its palette does not have");
}

TEST(DecodeTest, ADamagedAnimationOfWebpIsNamedAsSuch) {
  std::vector<std::byte> bytes = test::image_bytes("animated_part.webp");
  bytes[find(bytes, "ANMF"sv) + 8] = std::byte{200};  // the picture begins 400 pixels to the right
  EXPECT_EQ(reason(bytes), "WebP has an animation that is damaged");
  bytes = test::image_bytes("animated_part.webp");
  for (std::size_t i = find(bytes, "VP8L"sv) + 13; i < bytes.size(); ++i) bytes[i] = std::byte{0xFF};
  EXPECT_EQ(reason(bytes), "WebP cannot be decoded: it is damaged");
}

TEST(DecodeTest, ADamagedPngIsNamedAsSuch) {
  std::vector<std::byte> bytes = test::image_bytes("rgb.png");
  bytes[find(bytes, "IDAT") + 6] ^= std::byte{1};
  EXPECT_EQ(reason(bytes), "PNG is damaged: wrong checksum of IDAT");
  bytes = test::image_bytes("rgb.png");
  EXPECT_EQ(reason(std::span(bytes).first(bytes.size() - 5)), "PNG ends early");
}

/// `png` with a byte of its first chunk of `type` changed and the checksum made right again.
std::vector<std::byte> with_other_data(std::vector<std::byte> png, std::string_view type,
                                       std::size_t position, std::byte value) {
  const std::size_t data = find(png, type) + 4;
  png[data + position] = value;
  const std::size_t length =
      std::to_integer<std::size_t>(png[data - 6]) * 256 + std::to_integer<std::size_t>(png[data - 5]);
  std::uint32_t sum = 0xFFFFFFFFU;  // CRC-32 bit by bit
  for (std::size_t i = data - 4; i < data + length; ++i) {
    sum ^= std::to_integer<std::uint32_t>(png[i]);
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1U) ^ ((sum & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  for (unsigned i = 0; i < 4; ++i) png[data + length + i] = static_cast<std::byte>(~sum >> (24U - 8U * i));
  return png;
}

TEST(DecodeTest, APngWhosePixelsAreDamagedBehindARightChecksumPrintsNothing) {
  ::testing::internal::CaptureStderr();
  const std::vector<std::byte> intact = test::image_bytes("rgb.png");
  EXPECT_EQ(decoded(with_other_data(intact, "IDAT", 0, intact[find(intact, "IDAT") + 4])).image,
            test::expected_picture("rgb.png"));
  std::size_t rejects = 0;
  const std::size_t length = find(intact, "IEND") - 8 - (find(intact, "IDAT") + 4);
  for (std::size_t position = 0; position < length; ++position) {  // the zlib checksum at the end included
    const std::string why = reason(with_other_data(intact, "IDAT", position, std::byte{0xA5}));
    if (why == "accepted") continue;
    EXPECT_THAT(why, HasSubstr("PNG cannot be decoded: "));
    ++rejects;
  }
  EXPECT_GT(rejects, 10U);
  // A transparent grey of 16 bits in an image of one: libpng warns of it and reads on.
  EXPECT_EQ(reason(with_other_data(test::image_bytes("bits_key.png"), "tRNS", 0, std::byte{1})), "accepted");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(DecodeTest, ASmallFileOfAnyFormatThatClaims60000By60000IsRefusedByItsHeader) {
  const auto claim = [](const char* name, std::string_view before, std::size_t skip, std::string_view sides) {
    std::vector<std::byte> bytes = test::image_bytes(name);
    const std::size_t place = find(bytes, before) + before.size() + skip;
    std::copy_n(test::bytes(sides).begin(), sides.size(), bytes.begin() + static_cast<std::ptrdiff_t>(place));
    return bytes;
  };
  const auto tiff = [] {  // ImageWidth and ImageLength, of type LONG, in the order of the tags
    std::vector<std::byte> bytes = test::image_bytes("rgb.tif");
    for (const std::string_view tag :
         {"\0\1\4\0\1\0\0\0"sv, "\1\1\4\0\1\0\0\0"sv, "\0\1\3\0\1\0\0\0"sv, "\1\1\3\0\1\0\0\0"sv}) {
      const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      const std::size_t place = all.find(tag);
      if (place == std::string_view::npos) continue;
      bytes[place + 8] = std::byte{0x60};
      bytes[place + 9] = std::byte{0xEA};
    }
    return bytes;
  };
  const std::vector<std::pair<const char*, std::vector<std::byte>>> claims{
      {"JPEG", claim("420.jpg", "\xFF\xC0"sv, 3, "\xEA\x60\xEA\x60"sv)},
      {"PNG", claim("rgb.png", "IHDR"sv, 0, "\0\0\xEA\x60\0\0\xEA\x60"sv)},
      {"BMP", claim("rgb.bmp", "BM"sv, 16, "\x60\xEA\0\0\x60\xEA\0\0"sv)},
      {"TIFF", tiff()},
      {"PNM", test::bytes("P6\n60000 60000\n255\n")},
      {"GIF", claim("palette.gif", "GIF89a"sv, 0, "\x60\xEA\x60\xEA"sv)},
      {"WebP", claim("orientation_8.webp", "VP8X"sv, 8, "\x5F\xEA\0\x5F\xEA\0"sv)},
      {"JPEG 2000", claim("rgb.j2k", "\xFF\x51"sv, 4, "\0\0\xEA\x60\0\0\xEA\x60"sv)}};
  for (const auto& [format, bytes] : claims) {
    EXPECT_EQ(reason(bytes), "is 60000 x 60000 = 3600000000 pixels, more than the limit of 200000000")
        << format;
  }
}

TEST(DecodeTest, RejectsAndDecodersPrintNothing) {
  ::testing::internal::CaptureStderr();
  std::size_t rejects = 0;
  for (const std::string& name : test::image_names()) {
    std::vector<std::byte> bytes = test::image_bytes(name);
    for (std::size_t i = bytes.size() / 2; i < bytes.size(); i += 7) bytes[i] ^= std::byte{0x5A};
    rejects += reason(bytes) == "accepted" ? 0U : 1U;
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_GT(rejects, 30U);
}

TEST(DecodeTest, OthersStillWriteToCerrWhileImagesAreRejected) {
  ::testing::internal::CaptureStderr();
  std::vector<std::byte> bytes = test::image_bytes("rgb.jp2");
  for (std::size_t i = 200; i < bytes.size(); ++i) bytes[i] = std::byte{0};
  std::thread decoder([&] {
    for (int i = 0; i < 100; ++i) static_cast<void>(decode_image(bytes, {}));
  });
  for (int i = 0; i < 100; ++i) std::cerr << "x";
  decoder.join();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), std::string(100, 'x'));
}

// Slides are stored so, that either kind of program may open them.
TEST(DecodeTest, ATiffWithDicomInsideIsATiff) {
  std::vector<std::byte> bytes = test::image_bytes("rgb.tif");
  constexpr std::string_view kDicom = "DICM";
  std::transform(kDicom.begin(), kDicom.end(), bytes.begin() + 128,
                 [](char c) { return static_cast<std::byte>(c); });
  EXPECT_EQ(reason(bytes), "accepted");
}

}  // namespace
}  // namespace headstart
