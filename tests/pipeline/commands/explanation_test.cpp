// tests/pipeline/commands/explanation_test.cpp
#include "pipeline/commands/explanation.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <vector>

namespace headstart {
namespace {

RgbImage plain(int height, int width) {
  return {height, width, std::vector<std::uint8_t>(static_cast<std::size_t>(height * width) * 3, 100)};
}

int difference(const RgbImage& image, int y, int x) {
  int sum = 0;
  for (std::size_t channel = 0; channel < 3; ++channel)
    sum += std::abs(image.pixels[static_cast<std::size_t>(y * image.width + x) * 3 + channel] - 100);
  return sum;
}

TEST(Overlay, AMapOfZerosLeavesTheImageInGrey) {
  const std::vector<float> map(49, 0.0F);
  EXPECT_EQ(overlay(plain(20, 30), map, 7, {}), plain(20, 30));
  const RgbImage coloured{1, 1, {255, 0, 0}};
  EXPECT_EQ(overlay(coloured, map, 7, {}).pixels, (std::vector<std::uint8_t>{76, 76, 76}));
}

TEST(Overlay, GlowsWhereTheMapDoes) {
  std::vector<float> map(49, 0.0F);
  map[2 * 7 + 5] = 3.0F;  // row 2, column 5
  const RgbImage image = overlay(plain(70, 140), map, 7, {});
  EXPECT_GT(difference(image, 25, 110), 100);  // the centre of that cell
  EXPECT_EQ(difference(image, 65, 10), 0);
  EXPECT_EQ(difference(image, 25, 50), 0);
}

TEST(Overlay, OfACropTouchesTheCentreAlone) {
  const std::vector<float> map(49, 1.0F);
  const RgbImage image = overlay(plain(40, 100), map, 7, {.mode = ResizeMode::kCrop});
  EXPECT_EQ(difference(image, 20, 29), 0);
  EXPECT_GT(difference(image, 20, 30), 0);
  EXPECT_GT(difference(image, 20, 69), 0);
  EXPECT_EQ(difference(image, 20, 70), 0);
  const RgbImage part =
      overlay(plain(40, 100), map, 7, {.mode = ResizeMode::kShorterSide, .crop_share = 0.5});
  EXPECT_EQ(difference(part, 20, 39), 0);
  EXPECT_GT(difference(part, 20, 40), 0);
  EXPECT_GT(difference(part, 29, 59), 0);
  EXPECT_EQ(difference(part, 30, 59), 0);
}

}  // namespace
}  // namespace headstart
