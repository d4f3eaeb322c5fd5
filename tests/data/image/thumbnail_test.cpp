// tests/data/image/thumbnail_test.cpp
#include "data/image/thumbnail.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/image/jpeg.hpp"

namespace headstart {
namespace {

/// Brighter to the right, redder to the bottom.
RgbImage gradient(int height, int width) {
  RgbImage image{height, width, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto grey = static_cast<std::uint8_t>(255 * x / std::max(width - 1, 1));
      const auto red = static_cast<std::uint8_t>(255 * y / std::max(height - 1, 1));
      image.pixels.insert(image.pixels.end(), {red, grey, grey});
    }
  }
  return image;
}

double mean(const RgbImage& image) {
  return std::accumulate(image.pixels.begin(), image.pixels.end(), 0.0) /
         static_cast<double>(image.pixels.size());
}

RgbImage decoded_picture(std::span<const std::byte> file) {
  auto image = decode_image(file, {});
  EXPECT_TRUE(std::holds_alternative<DecodedImage>(image));
  return std::get<DecodedImage>(std::move(image)).image;
}

RC_GTEST_PROP(Shrink, FitsTheSquareAndKeepsAspectAndBrightness, ()) {
  const int height = *rc::gen::inRange(1, 90);
  const int width = *rc::gen::inRange(1, 90);
  const int side = *rc::gen::inRange(1, 40);
  const RgbImage image = gradient(height, width);
  const RgbImage small = shrink(image, side);
  RC_ASSERT(small.pixels.size() == static_cast<std::size_t>(small.height * small.width) * 3);
  if (std::max(height, width) <= side) {
    RC_ASSERT(small == image);
    return;
  }
  RC_ASSERT(std::max(small.height, small.width) == side);
  const double scale = static_cast<double>(side) / std::max(height, width);
  RC_ASSERT(std::abs(small.height - std::max(1.0, height * scale)) <= 0.5);
  RC_ASSERT(std::abs(small.width - std::max(1.0, width * scale)) <= 0.5);
  // Pixels cover areas that differ by one row or column; the mean stays about what it was.
  RC_ASSERT(std::abs(mean(small) - mean(image)) < 255.0 * std::max(1.0 / side, 0.1));
}

TEST(Shrink, APixelIsTheMeanOfThoseThatItCovers) {
  const RgbImage image{2, 4, {0,  0,  0,  10, 10, 10, 100, 0, 0, 100, 0, 0,  //
                              20, 20, 20, 30, 30, 30, 200, 0, 0, 201, 0, 0}};
  EXPECT_EQ(shrink(image, 2), (RgbImage{1, 2, {15, 15, 15, 150, 0, 0}}));
}

TEST(Thumbnail, IsASmallJpegOfTheSamePicture) {
  const RgbImage image = gradient(301, 640);
  const auto file = encode_jpeg(image, 95);
  const auto made = make_thumbnail(file, {}, 64);
  ASSERT_TRUE(std::holds_alternative<std::vector<std::byte>>(made));
  const RgbImage small = decoded_picture(std::get<std::vector<std::byte>>(made));
  EXPECT_EQ(small.width, 64);
  EXPECT_EQ(small.height, 30);
  const RgbImage expected = shrink(image, 64);
  double difference = 0.0;
  for (std::size_t i = 0; i < small.pixels.size(); ++i)
    difference += std::abs(static_cast<double>(small.pixels[i]) - static_cast<double>(expected.pixels[i]));
  EXPECT_LT(difference / static_cast<double>(small.pixels.size()), 6.0);
}

TEST(Thumbnail, WhatIsNoImageHasAReason) {
  const std::string text = "no image";
  const auto made = make_thumbnail(std::as_bytes(std::span(text)), {}, 64);
  ASSERT_TRUE(std::holds_alternative<Reject>(made));
  EXPECT_FALSE(std::get<Reject>(made).reason.empty());
}

TEST(DecodePreview, DividesAJpegAndKeepsTheLeastSide) {
  const auto file = encode_jpeg(gradient(123, 250), 90);
  for (const auto& [least, height, width] :
       {std::array{1, 16, 32}, {15, 16, 32}, {16, 31, 63}, {61, 62, 125}, {62, 123, 250}, {500, 123, 250}}) {
    const auto preview = decode_preview(file, {}, least);
    ASSERT_TRUE(std::holds_alternative<DecodedImage>(preview)) << least;
    const RgbImage& image = std::get<DecodedImage>(preview).image;
    EXPECT_EQ(image.height, height) << least;
    EXPECT_EQ(image.width, width) << least;
    EXPECT_NEAR(mean(image), 127.5, 4.0) << least;
  }
}

}  // namespace
}  // namespace headstart
