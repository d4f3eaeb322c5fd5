// tests/data/image/resize_test.cpp: against what TensorFlow and Keras computed.
#include "data/image/resize.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/image/decode.hpp"
#include "tests/data/image_files.hpp"
#include "tests/support/golden.hpp"

namespace headstart {
namespace {

std::vector<float> resized(const RgbImage& image, const ResizeOptions& options) {
  std::vector<float> out(static_cast<std::size_t>(options.size) * static_cast<std::size_t>(options.size) * 3);
  resize(image, options, out);
  return out;
}

/// Largest absolute difference; infinite if nothing is compared.
double max_error(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size() || a.empty()) return INFINITY;
  double error = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) error = std::max(error, std::abs(double{a[i]} - double{b[i]}));
  return error;
}

TEST(ResizeTest, DecodedSamplesAreWhatTensorFlowGives) {
  const test::GoldenArray golden = test::golden_array("features.h5", "/resized_rgb");
  const std::vector<std::string> paths = test::golden_strings("features.h5", "/paths");
  ASSERT_EQ(golden.shape, (std::vector<std::size_t>{6, 224, 224, 3}));
  ASSERT_EQ(paths.size(), 6U);
  const std::vector<float> expected = golden.floats();
  const std::size_t row = expected.size() / paths.size();
  EXPECT_GT(std::accumulate(expected.begin(), expected.end(), 0.0) / static_cast<double>(expected.size()),
            50.0);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const auto bytes = test::bytes_of(test::source_path("samples/openclipart10/" + paths[i]));
    const auto decoded = decode_image(bytes, {});
    ASSERT_TRUE(std::holds_alternative<DecodedImage>(decoded)) << paths[i];
    const std::vector<float> ours = resized(std::get<DecodedImage>(decoded).image, {});
    // The contract is 1e-2; measured is 0. A different order of the same operations would stay below 1e-4.
    EXPECT_LE(max_error(ours, std::span(expected).subspan(i * row, row)), 1e-4) << paths[i];
  }
}

struct ResizeCase {
  const char* name;
  ResizeMode mode;
  Interpolation interpolation;
};

class ResizeModesTest : public ::testing::TestWithParam<ResizeCase> {};

TEST_P(ResizeModesTest, AgreesWithTensorFlowBothWays) {
  const RgbImage picture = test::picture(test::image_path("resize/picture.ppm"));
  for (const int size : {5, 40}) {
    const auto file =
        test::image_path("resize/" + std::string(GetParam().name) + "_" + std::to_string(size) + ".f32");
    const std::vector<float> ours = resized(picture, {size, GetParam().mode, GetParam().interpolation});
    EXPECT_LE(max_error(ours, test::floats_of(file)), 1e-4) << size;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Modes, ResizeModesTest,
    ::testing::Values(ResizeCase{"stretch_bilinear", ResizeMode::kStretch, Interpolation::kBilinear},
                      ResizeCase{"stretch_nearest", ResizeMode::kStretch, Interpolation::kNearest},
                      ResizeCase{"crop_bilinear", ResizeMode::kCrop, Interpolation::kBilinear},
                      ResizeCase{"crop_nearest", ResizeMode::kCrop, Interpolation::kNearest}),
    [](const auto& each) { return std::string(each.param.name); });

// What resize() makes by the rules of Pillow is in resampling_test.cpp.
TEST(ResizeTest, AntialiasAndTheShorterSideAreResampled) {
  const RgbImage picture = test::picture(test::image_path("resize/picture.ppm"));
  const auto expected = [](const std::string& name) {
    const RgbImage image = test::picture(test::image_path("resample/" + name));
    return std::vector<float>(image.pixels.begin(), image.pixels.end());
  };
  EXPECT_EQ(resized(picture, {.size = 40, .antialias = true}), expected("stretch_bilinear_40.ppm"));
  EXPECT_EQ(resized(picture, {40, ResizeMode::kShorterSide, Interpolation::kBicubic, 0.875, true}),
            expected("crop_bicubic_40.ppm"));
  EXPECT_LE(max_error(resized(picture, {.size = 40, .interpolation = Interpolation::kBicubic}),
                      test::floats_of(test::image_path("resample/stretch_bicubic_40.f32"))),
            5e-4);
}

// Keras's square first, then Pillow's filter on it.
TEST(ResizeTest, AnAntialiasedCropIsOfTheCentredSquare) {
  RgbImage wide{30, 50, {}};
  for (int i = 0; i < 30 * 50 * 3; ++i) wide.pixels.push_back(static_cast<std::uint8_t>(i * 37 % 251));
  RgbImage square{30, 30, {}};
  for (int y = 0; y < 30; ++y) {
    const auto row = wide.pixels.begin() + std::ptrdiff_t{y * 50 + 10} * 3;
    square.pixels.insert(square.pixels.end(), row, row + std::ptrdiff_t{30} * 3);
  }
  EXPECT_EQ(resized(wide, {.size = 11, .mode = ResizeMode::kCrop, .antialias = true}),
            resized(square, {.size = 11, .antialias = true}));
}

TEST(ResizeTest, OnePixelFillsTheResult) {
  const RgbImage pixel{1, 1, {10, 20, 30}};
  for (const auto interpolation : {Interpolation::kBilinear, Interpolation::kNearest}) {
    EXPECT_EQ(resized(pixel, {2, ResizeMode::kStretch, interpolation}),
              (std::vector<float>{10, 20, 30, 10, 20, 30, 10, 20, 30, 10, 20, 30}));
  }
}

TEST(ResizeTest, TheSameSizeIsTheSameImage) {
  RgbImage image{16, 16, {}};
  for (int i = 0; i < 16 * 16 * 3; ++i) image.pixels.push_back(static_cast<std::uint8_t>(i * 37 % 256));
  const std::vector<float> expected(image.pixels.begin(), image.pixels.end());
  for (const auto mode : {ResizeMode::kStretch, ResizeMode::kCrop}) {
    EXPECT_EQ(resized(image, {16, mode, Interpolation::kBilinear}), expected);
  }
}

TEST(ResizeTest, ExtremeShapesKeepTheirRange) {
  for (const auto& [height, width] : {std::pair{1, 500}, {500, 1}, {2, 3}, {1000, 999}}) {
    const RgbImage image{height, width,
                         std::vector<std::uint8_t>(static_cast<std::size_t>(height * width * 3), 200)};
    for (const auto mode : {ResizeMode::kStretch, ResizeMode::kCrop}) {
      for (const auto interpolation : {Interpolation::kBilinear, Interpolation::kNearest}) {
        const std::vector<float> out = resized(image, {7, mode, interpolation});
        EXPECT_TRUE(std::all_of(out.begin(), out.end(), [](float value) { return value == 200.0F; }));
      }
    }
  }
}

}  // namespace
}  // namespace headstart
