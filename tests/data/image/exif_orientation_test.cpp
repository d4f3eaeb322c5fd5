// tests/data/image/exif_orientation_test.cpp: pictures turned by all eight orientations are in
// decode_test.cpp.
#include "data/image/exif_orientation.hpp"

#include <gtest/gtest.h>

#include "tests/data/image_files.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;

int orientation_in(std::string_view tiff) { return exif_orientation(test::bytes(tiff)); }

TEST(ExifOrientationTest, IsFoundInEachContainer) {
  EXPECT_EQ(exif_orientation(test::image_bytes("orientation_6.jpg")), 6);
  EXPECT_EQ(exif_orientation(test::image_bytes("orientation_3.png")), 3);
  EXPECT_EQ(exif_orientation(test::image_bytes("orientation_8.webp")), 8);
  EXPECT_EQ(exif_orientation(test::image_bytes("orientation_5.tif")), 5);
  EXPECT_EQ(exif_orientation(test::image_bytes("orientation_6_16bit.tif")), 6) << "big endian";
}

TEST(ExifOrientationTest, IsUprightWhereThereIsNone) {
  for (const char* name : {"420.jpg", "rgb.png", "lossy.webp", "rgb.tif", "rgb.bmp", "p6.ppm", "rgb.jp2"}) {
    EXPECT_EQ(exif_orientation(test::image_bytes(name)), 1) << name;
  }
}

// As a Panasonic camera has it.
TEST(ExifOrientationTest, MayBeASignedNumber) {
  EXPECT_EQ(orientation_in("II*\0\x08\0\0\0\1\0\x12\1\x09\0\1\0\0\0\6\0\0\0"sv), 6);
  EXPECT_EQ(orientation_in("MM\0*\0\0\0\x08\0\1\1\x12\0\x08\0\0\0\1\0\6\0\0"sv), 6);
}

TEST(ExifOrientationTest, IsUprightWhereTheTagMakesNoSense) {
  EXPECT_EQ(orientation_in("II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0"sv), 6)
      << "the block below, intact";
  EXPECT_EQ(orientation_in("II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\x09\0\0\0"sv), 1) << "out of range";
  EXPECT_EQ(orientation_in("II*\0\x08\0\0\0\1\0\x12\1\2\0\1\0\0\0\6\0\0\0"sv), 1) << "text";
  EXPECT_EQ(orientation_in("II*\0\x08\0\0\0\1\0\x12\1\3\0\0\0\0\0\6\0\0\0"sv), 1) << "no values";
  EXPECT_EQ(orientation_in("II*\0\x08\0\0\0\1\0\x12\1\3\0\xFF\xFF\xFF\xFF\xF0\0\0\0"sv), 1)
      << "values outside";
  EXPECT_EQ(orientation_in("II*\0\xF0\xFF\xFF\xFF\1\0\x12\1\3\0\1\0\0\0\6\0\0\0"sv), 1)
      << "directory outside";
  EXPECT_EQ(orientation_in("II*\0\x08\0\0\0\xFF\xFF\x12\1\3\0\1\0\0\0\6\0"sv), 1) << "entry cut off";
}

TEST(UprightTest, TurningBackAndForthIsIdentity) {
  RgbImage image{2, 3, {}};
  for (std::uint8_t i = 0; i < 18; ++i) image.pixels.push_back(i);
  for (const int mirror : {2, 3, 4, 5, 7}) {
    EXPECT_NE(upright(image, mirror), image) << mirror;
    EXPECT_EQ(upright(upright(image, mirror), mirror), image) << mirror;
  }
  EXPECT_EQ(upright(upright(image, 6), 8), image);
  EXPECT_EQ(upright(image, 1), image);
  EXPECT_EQ(upright(image, 6).height, 3);
}

}  // namespace
}  // namespace headstart
