// tests/data/image/input_geometry_test.cpp: against the squares that torchvision cuts.
#include "data/image/input_geometry.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/data/image_files.hpp"

namespace headstart {
namespace {

TEST(ScaledSquare, IsWhereTorchvisionCutsIt) {
  std::ifstream file(test::image_path("resample/squares.csv"));
  std::string line;
  std::getline(file, line);
  ASSERT_EQ(line, "height,width,size,crop_share,scaled_height,scaled_width,top,left");
  int count = 0;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    int height = 0;
    int width = 0;
    char comma = 0;
    ResizeOptions geometry{.mode = ResizeMode::kShorterSide};
    ScaledSquare expected;
    fields >> height >> comma >> width >> comma >> geometry.size >> comma >> geometry.crop_share >> comma;
    fields >> expected.height >> comma >> expected.width >> comma >> expected.top >> comma >> expected.left;
    ASSERT_FALSE(fields.fail()) << line;
    expected.size = geometry.size;
    EXPECT_EQ(scaled_square(height, width, geometry), expected) << line;
    ++count;
  }
  EXPECT_GT(count, 500);
}

TEST(ScaledSquare, HalvesGoToTheEvenNeighbour) {
  const auto left = [](int width) {
    return scaled_square(10, width, {.size = 10, .mode = ResizeMode::kShorterSide}).left;
  };
  EXPECT_EQ(left(11), 0);  // 0.5
  EXPECT_EQ(left(13), 2);  // 1.5
  EXPECT_EQ(left(15), 2);  // 2.5
  EXPECT_EQ(left(17), 4);  // 3.5
}

TEST(ScaledSquare, StretchIsTheWholeImage) {
  EXPECT_EQ(scaled_square(7, 9000, {.size = 30, .crop_share = 0.5}), (ScaledSquare{30, 30, 0, 0, 30}));
}

TEST(ScaledSquare, LongSidesDoNotOverflow) {
  constexpr int kLongest = 2'000'000'000;
  const ScaledSquare square = scaled_square(
      kLongest, 1, {.size = kMaxSquareSize, .mode = ResizeMode::kShorterSide, .crop_share = kMinCropShare});
  EXPECT_EQ(square.width, 6'553'600);
  EXPECT_EQ(square.height, 6'553'600 * std::int64_t{kLongest});
  EXPECT_EQ(square.top, (square.height - kMaxSquareSize) / 2);
}

RC_GTEST_PROP(ScaledSquare, IsCentralAndInsideAnImageOfTheSameAspect, ()) {
  const int height = *rc::gen::inRange(1, 70'000);
  const int width = *rc::gen::inRange(1, 70'000);
  const ResizeOptions geometry{.size = *rc::gen::inRange(1, 600),
                               .mode = ResizeMode::kShorterSide,
                               .crop_share = *rc::gen::inRange(1, 101) / 100.0};
  const ScaledSquare square = scaled_square(height, width, geometry);
  RC_ASSERT(square.top >= 0 && square.top + square.size <= square.height);
  RC_ASSERT(square.left >= 0 && square.left + square.size <= square.width);
  RC_ASSERT(std::abs(square.height - square.size - 2 * square.top) <= 1);
  RC_ASSERT(std::abs(square.width - square.size - 2 * square.left) <= 1);
  // The longer side is cut to whole pixels, so that it is less than one too short.
  const std::int64_t shorter = std::min(square.height, square.width);
  const double aspect = static_cast<double>(std::max(height, width)) / std::min(height, width);
  const double missing =
      aspect * static_cast<double>(shorter) - static_cast<double>(std::max(square.height, square.width));
  RC_ASSERT(missing > -1e-3 && missing < 1.0);
  RC_ASSERT((height > width) == (square.height > square.width) || square.height == square.width);
}

}  // namespace
}  // namespace headstart
