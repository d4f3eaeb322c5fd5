// tests/data/image/view_test.cpp
#include "data/image/view.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <tuple>

namespace headstart {
namespace {

/// An image whose pixel (x, y) is (x, y, 100), for sides up to 255.
RgbImage coordinates(int width, int height) {
  RgbImage image{height, width, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (const int value : {x, y, 100}) image.pixels.push_back(static_cast<std::uint8_t>(value));
    }
  }
  return image;
}

Sha256 any_content() { return sha256(std::to_string(*rc::gen::arbitrary<std::uint64_t>())); }

// Computed with Python's hashlib and the definition in docs/cache-format.md.
TEST(ViewKeyTest, IsTheDocumentedDigest) {
  const Sha256 content = sha256("an image");
  EXPECT_EQ(view_key(content, 0), content);
  EXPECT_EQ(view_key(content, 1).hex(), "e1a067659de0cfe331da05ff95c161a27c03dcd8b6baf3551b4c613b6669aeb9");
  EXPECT_EQ(view_key(content, 258).hex(), "ad6a335ea59068de03c99f72d4301fcb7557e5307bf1dc5bd382a13084cdce41");
}

TEST(DrawViewTest, IsTheDocumentedDraw) {
  const Sha256 content = sha256("an image");
  EXPECT_EQ(draw_view(view_key(content, 1), 640, 480), (View{true, 129, 7, 413, 460}));
  EXPECT_EQ(draw_view(view_key(content, 2), 640, 480), (View{false, 18, 6, 572, 469}));
  EXPECT_EQ(draw_view(view_key(content, 3), 480, 640), (View{true, 3, 117, 477, 479}));
  EXPECT_EQ(draw_view(view_key(content, 4), 300, 170), (View{false, 80, 3, 211, 160}));
  EXPECT_EQ(draw_view(view_key(content, 5), 17, 13), (View{true, 1, 0, 16, 13}));
}

TEST(DrawViewTest, ALongImageGivesItsCentre) {
  for (std::uint64_t index = 1; index <= 20; ++index) {
    View wide = draw_view(view_key(sha256("wide"), index), 1000, 300);
    wide.flip = false;
    EXPECT_EQ(wide, (View{false, 300, 0, 400, 300}));
    View high = draw_view(view_key(sha256("high"), index), 30, 101);
    high.flip = false;
    EXPECT_EQ(high, (View{false, 0, 30, 30, 40}));
  }
}

TEST(DrawViewTest, TheSmallestImageIsItsOwnView) {
  for (std::uint64_t index = 1; index <= 20; ++index) {
    View view = draw_view(view_key(sha256("dot"), index), 1, 1);
    view.flip = false;
    EXPECT_EQ(view, (View{false, 0, 0, 1, 1}));
  }
}

TEST(DrawViewTest, HalfOfTheViewsAreFlippedAndTheirSharesSpread) {
  constexpr int kViews = 2000;
  int flipped = 0;
  double sum = 0.0;
  std::set<std::tuple<int, int, int, int>> distinct;
  for (std::uint64_t index = 1; index <= kViews; ++index) {
    const View view = draw_view(view_key(sha256("square"), index), 500, 500);
    flipped += view.flip ? 1 : 0;
    sum += static_cast<double>(view.width) * view.height / 250000.0;
    distinct.insert({view.x, view.y, view.width, view.height});
  }
  EXPECT_NEAR(flipped, kViews / 2.0, 5 * std::sqrt(kViews / 4.0));
  EXPECT_GT(sum / kViews, 0.68);  // below 0.8, as large crops that are not square don't fit
  EXPECT_LT(sum / kViews, 0.8);
  EXPECT_GT(distinct.size(), 0.99 * kViews);
}

RC_GTEST_PROP(DrawViewProperty, LiesInTheImageWithAreaAndRatioInRange, ()) {
  const int width = *rc::gen::inRange(1, 3000);
  const int height = *rc::gen::inRange(1, 3000);
  const Sha256 key = view_key(any_content(), *rc::gen::inRange<std::uint64_t>(1, 100));
  const View view = draw_view(key, width, height);
  RC_ASSERT(view == draw_view(key, width, height));
  RC_ASSERT(view.x >= 0 && view.y >= 0 && view.width >= 1 && view.height >= 1);
  RC_ASSERT(view.x + view.width <= width && view.y + view.height <= height);

  // Sides are rounded to whole pixels: so much may area and ratio be off.
  const double slack = 0.5 / view.width + 0.5 / view.height + 1e-9;
  const double ratio = static_cast<double>(view.width) / view.height;
  RC_ASSERT(std::abs(std::log(ratio)) <= std::log(4.0 / 3.0) + 2.0 * slack);
  const double shape = static_cast<double>(std::max(width, height)) / std::min(width, height);
  const double share = static_cast<double>(view.width) * view.height / (static_cast<double>(width) * height);
  RC_ASSERT(share >= std::min(0.6, 4.0 / 3.0 / shape) * (1.0 - 2.0 * slack));
}

RC_GTEST_PROP(DrawViewProperty, OtherNumbersAndOtherImagesAreOtherViews, ()) {
  const Sha256 content = any_content();
  const auto index = *rc::gen::inRange<std::uint64_t>(1, 1000);
  RC_ASSERT(view_key(content, index) != view_key(content, index + 1));
  RC_ASSERT(view_key(content, index) != view_key(sha256(content.hex()), index));
  // Two draws from a square of 2000 pixels are equal with a probability of about 1e-10.
  RC_ASSERT(draw_view(view_key(content, index), 2000, 2000) !=
            draw_view(view_key(content, index + 1), 2000, 2000));
}

RC_GTEST_PROP(CutProperty, EveryPixelIsTheImages, ()) {
  const RgbImage image = coordinates(*rc::gen::inRange(1, 60), *rc::gen::inRange(1, 60));
  View view;
  view.flip = *rc::gen::arbitrary<bool>();
  view.x = *rc::gen::inRange(0, image.width);
  view.y = *rc::gen::inRange(0, image.height);
  view.width = *rc::gen::inRange(1, image.width - view.x + 1);
  view.height = *rc::gen::inRange(1, image.height - view.y + 1);
  const RgbImage result = cut(image, view);
  RC_ASSERT(result.width == view.width && result.height == view.height);
  std::size_t i = 0;
  for (int y = 0; y < view.height; ++y) {
    for (int x = 0; x < view.width; ++x) {
      RC_ASSERT(result.pixels[i++] == view.x + (view.flip ? view.width - 1 - x : x));
      RC_ASSERT(result.pixels[i++] == view.y + y);
      RC_ASSERT(result.pixels[i++] == 100);
    }
  }
  RC_ASSERT(i == result.pixels.size());
}

TEST(CutTest, TheWholeImageIsItself) {
  const RgbImage image = coordinates(7, 5);
  EXPECT_EQ(cut(image, {false, 0, 0, 7, 5}), image);
  EXPECT_EQ(cut(cut(image, {true, 0, 0, 7, 5}), {true, 0, 0, 7, 5}), image);
}

}  // namespace
}  // namespace headstart
