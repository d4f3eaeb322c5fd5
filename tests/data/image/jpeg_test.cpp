// tests/data/image/jpeg_test.cpp: over damaged files every verdict is libjpeg's own, which a plain use of it
// gives here.
#include "data/image/jpeg.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

// These two lean on <cstdio>.
#include <jpeglib.h>

#include <jerror.h>

#include "tests/data/image_files.hpp"
#include "tests/support/golden.hpp"

namespace headstart {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::size_t kMostPixels = 1'000'000;  // a damaged header may claim any number

/// What libjpeg makes of a file.
struct Verdict {
  jpeg_error_mgr manager{};
  std::jmp_buf jump{};
  bool fatal = false;
  bool is_large = false;   // more than the limit, and not decoded
  bool is_hollow = false;  // less than one bit for a block of 64 samples
  bool ends_early = false;
  int warnings = 0;
  bool has_inks = false;
  std::vector<std::uint8_t> pixels;
};

void read_plainly(const std::vector<std::byte>& bytes, Verdict& verdict) {
  static std::vector<std::uint8_t> row;  // libjpeg's errors jump over this frame
  jpeg_decompress_struct jpeg{};
  jpeg.err = jpeg_std_error(&verdict.manager);
  jpeg.client_data = &verdict;
  verdict.manager.error_exit = [](j_common_ptr at) {
    std::longjmp(static_cast<Verdict*>(at->client_data)->jump, 1);
  };
  verdict.manager.emit_message = [](j_common_ptr at, int level) {
    auto& seen = *static_cast<Verdict*>(at->client_data);
    if (level >= 0) return;
    ++seen.warnings;
    seen.ends_early = seen.ends_early || at->err->msg_code == JWRN_JPEG_EOF;
  };
  if (setjmp(verdict.jump) != 0) {
    verdict.fatal = true;
  } else {
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    jpeg_read_header(&jpeg, TRUE);
    const std::size_t size = std::size_t{jpeg.image_width} * jpeg.image_height;
    verdict.is_hollow = jpeg.arith_code == FALSE && size / 512 > bytes.size();
    verdict.is_large = size > kMostPixels;
    if (verdict.is_large) std::longjmp(verdict.jump, 1);
    verdict.has_inks = jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK;
    jpeg.out_color_space = verdict.has_inks ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&jpeg);
    row.resize(std::size_t{jpeg.output_width} * static_cast<std::size_t>(jpeg.output_components));
    while (jpeg.output_scanline < jpeg.output_height) {
      JSAMPROW out = row.data();
      jpeg_read_scanlines(&jpeg, &out, 1);
      verdict.pixels.insert(verdict.pixels.end(), row.begin(), row.end());
    }
    jpeg_finish_decompress(&jpeg);
  }
  jpeg_destroy_decompress(&jpeg);
}

/// Holds decode_image() against libjpeg. Whether libjpeg accepts the file.
bool expect_libjpegs_verdict(const std::vector<std::byte>& bytes, const std::string& what) {
  Verdict verdict;
  read_plainly(bytes, verdict);
  const auto result = decode_image(bytes, {.ignore_exif = true, .max_pixels = kMostPixels});
  if (verdict.fatal || verdict.ends_early || verdict.is_hollow) {
    EXPECT_TRUE(std::holds_alternative<Reject>(result))
        << what << ": libjpeg refuses it, or it cannot hold its pixels";
    return false;
  }
  const auto* const reject = std::get_if<Reject>(&result);
  if (reject != nullptr) {
    ADD_FAILURE() << what << ": libjpeg accepts it: " << reject->reason;
    return true;
  }
  const auto& decoded = std::get<DecodedImage>(result);
  EXPECT_EQ(decoded.note.empty(), verdict.warnings == 0) << what << ": " << decoded.note;
  EXPECT_TRUE(verdict.has_inks || decoded.image.pixels == verdict.pixels) << what;
  return true;
}

/// HEADSTART_SEED, or 1: whoever sees a failure can see it again.
unsigned seed() {
  const char* const text = std::getenv("HEADSTART_SEED");
  return text == nullptr ? 1U : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

class DamagedJpeg : public ::testing::TestWithParam<std::string> {};

TEST_P(DamagedJpeg, EndsEarlyWhereverItIsCut) {
  const std::vector<std::byte> intact = test::image_bytes(GetParam());
  EXPECT_TRUE(expect_libjpegs_verdict(intact, GetParam()));
  for (std::size_t length = 3; length < intact.size(); ++length) {
    const std::vector<std::byte> cut(intact.begin(), intact.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(expect_libjpegs_verdict(cut, GetParam() + " cut after " + std::to_string(length)));
  }
}

TEST_P(DamagedJpeg, IsWhatLibjpegSaysAboutIt) {
  const std::vector<std::byte> intact = test::image_bytes(GetParam());
  std::mt19937 random(seed());
  const auto below = [&](std::size_t limit) { return std::size_t{random()} % limit; };
  int accepted = 0;
  int rejected = 0;
  for (int file = 0; file < 3000; ++file) {
    std::vector<std::byte> bytes = intact;
    for (std::size_t change = below(4) + 1; change > 0; --change) {
      const auto place = bytes.begin() + 3 + static_cast<std::ptrdiff_t>(below(bytes.size() - 3));
      const auto value = static_cast<std::byte>(random());
      switch (below(6)) {
        case 0:
          bytes.insert(place, value);
          break;
        case 1:
          bytes.erase(place);
          break;
        case 2:  // any marker
          bytes.insert(bytes.insert(place, value), std::byte{0xFF});
          break;
        default:
          *place = value;
      }
    }
    const std::string what = GetParam() + " " + std::to_string(file) + " of seed " + std::to_string(seed());
    (expect_libjpegs_verdict(bytes, what) ? accepted : rejected) += 1;
    if (HasFailure()) break;
  }
  std::cout << "seed " << seed() << ": " << accepted << " accepted, " << rejected << " rejected\n";
  EXPECT_GT(accepted, 100);
  EXPECT_GT(rejected, 100);
}

std::string jpeg_name(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Images, DamagedJpeg,
                         ::testing::Values("420.jpg", "444.jpg", "progressive.jpg", "grey.jpg",
                                           "cmyk_adobe.jpg", "subsampling.jpg", "one_pixel.jpg"),
                         jpeg_name);

// An error that ends the decoding is one, whatever was warned of before it.
TEST(Jpeg, AFatalErrorBehindAWarningIsAReject) {
  std::vector<std::byte> bytes = test::image_bytes("420.jpg");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto scan = static_cast<std::ptrdiff_t>(text.find("\xFF\xDA"));
  ASSERT_GT(scan, 0);
  // Amid the data: a marker that libjpeg knows nothing of.
  const auto middle = (scan + static_cast<std::ptrdiff_t>(bytes.size())) / 2;
  bytes.insert(bytes.begin() + middle, {std::byte{0xFF}, std::byte{0x55}, std::byte{0}, std::byte{2}});
  // Before it: garbage between two segments.
  bytes.insert(bytes.begin() + scan, 3, std::byte{0x42});
  const auto result = decode_image(bytes, {});
  ASSERT_TRUE(std::holds_alternative<Reject>(result));
  EXPECT_EQ(std::get<Reject>(result).reason, "JPEG cannot be decoded: Unsupported marker type 0x55");
}

TEST(Jpeg, MoreScansThanAnyPictureNeedsAreRefused) {
  std::vector<std::byte> bytes = test::image_bytes("progressive.jpg");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto last = static_cast<std::ptrdiff_t>(text.rfind("\xFF\xDA"));
  const std::vector<std::byte> scan(bytes.begin() + last, bytes.end() - 2);
  for (int i = 0; i < 500; ++i) bytes.insert(bytes.end() - 2, scan.begin(), scan.end());
  const auto result = decode_image(bytes, {});
  ASSERT_TRUE(std::holds_alternative<Reject>(result));
  EXPECT_EQ(std::get<Reject>(result).reason, "JPEG cannot be decoded: it has more than 500 scans");
}

TEST(Jpeg, WhatIsEncodedIsNearlyTheSamePicture) {
  const RgbImage image = test::expected_picture("420.jpg");
  const auto result = decode_image(encode_jpeg(image, 95), {});
  ASSERT_TRUE(std::holds_alternative<DecodedImage>(result));
  const RgbImage& again = std::get<DecodedImage>(result).image;
  ASSERT_EQ(again.pixels.size(), image.pixels.size());
  double sum = 0.0;
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    sum += std::abs(int{image.pixels[i]} - again.pixels[i]);
  EXPECT_LT(sum / static_cast<double>(image.pixels.size()), 8.0);
  EXPECT_THROW(static_cast<void>(encode_jpeg({0, 0, {}}, 95)), std::runtime_error);
}

}  // namespace
}  // namespace headstart
