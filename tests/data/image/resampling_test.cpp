// tests/data/image/resampling_test.cpp: against what timm, torchvision and PyTorch made (make_resampled.py).
#include "data/image/resampling.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "memory/enum_names.hpp"
#include "tests/data/image_files.hpp"

namespace headstart {
namespace {

std::vector<float> resampled(const RgbImage& image, const ScaledSquare& square,
                             const Resampling& resampling) {
  std::vector<float> out(static_cast<std::size_t>(square.size) * static_cast<std::size_t>(square.size) * 3);
  resample(image, square, resampling, out);
  return out;
}

std::vector<float> resampled(const RgbImage& image, const ResizeOptions& options) {
  return resampled(image, scaled_square(image.height, image.width, options),
                   {options.interpolation, options.antialias});
}

RgbImage any_image(int height, int width) {
  const auto count = static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * 3;
  return {height, width,
          *rc::gen::container<std::vector<std::uint8_t>>(count, rc::gen::arbitrary<std::uint8_t>())};
}

/// How make_resampled.py calls a square.
struct GoldenFit {
  std::string name;
  ResizeMode mode;
  double crop_share;
};

const std::vector<GoldenFit>& golden_fits() {
  static const std::vector<GoldenFit> kFits{{"stretch", ResizeMode::kStretch, 1.0},
                                            {"crop", ResizeMode::kShorterSide, 0.875},
                                            {"shorter-side", ResizeMode::kShorterSide, 1.0}};
  return kFits;
}

struct GoldenInput {
  GoldenFit fit;
  Interpolation filter;
  int size;

  [[nodiscard]] std::string name() const {
    return fit.name + "_" + std::string(to_string(filter)) + "_" + std::to_string(size);
  }
  [[nodiscard]] std::vector<float> ours(bool antialias) const {
    return resampled(test::picture(test::image_path("resize/picture.ppm")),
                     {size, fit.mode, filter, fit.crop_share, antialias});
  }
};

std::vector<GoldenInput> golden_inputs() {
  std::vector<GoldenInput> inputs;
  for (const GoldenFit& fit : golden_fits()) {
    for (const Interpolation filter : named_values<Interpolation>()) {
      for (const int size : {5, 40}) inputs.push_back({fit, filter, size});
    }
  }
  return inputs;
}

TEST(Resample, AntialiasedIsWhatTimmsPipelineGives) {
  for (const GoldenInput& input : golden_inputs()) {
    const RgbImage expected = test::picture(test::image_path("resample/" + input.name() + ".ppm"));
    EXPECT_EQ(input.ours(true), std::vector<float>(expected.pixels.begin(), expected.pixels.end()))
        << input.name();
  }
}

TEST(Resample, TallImagesAreSummedAlongYFirst) {
  const RgbImage wide = test::picture(test::image_path("resize/picture.ppm"));
  RgbImage tall{wide.width, wide.height, {}};
  for (int y = 0; y < tall.height; ++y) {
    for (int x = 0; x < tall.width; ++x) {
      const auto pixel = wide.pixels.begin() + (std::ptrdiff_t{x} * wide.width + y) * 3;
      tall.pixels.insert(tall.pixels.end(), pixel, pixel + 3);
    }
  }
  for (const Interpolation filter : {Interpolation::kBilinear, Interpolation::kBicubic}) {
    const std::string name = "resample/tall_" + std::string(to_string(filter)) + "_10.ppm";
    const RgbImage expected = test::picture(test::image_path(name));
    EXPECT_EQ(resampled(tall, {10, ResizeMode::kStretch, filter, 1.0, true}),
              std::vector<float>(expected.pixels.begin(), expected.pixels.end()))
        << name;
  }
}

TEST(Resample, WithoutAntialiasIsWhatPyTorchGives) {
  for (const GoldenInput& input : golden_inputs()) {
    if (input.fit.name == "shorter-side" || input.filter == Interpolation::kNearest) continue;
    const std::vector<float> expected =
        test::floats_of(test::image_path("resample/" + input.name() + ".f32"));
    const std::vector<float> ours = input.ours(false);
    ASSERT_EQ(ours.size(), expected.size());
    // Measured: 4e-5. Another a of bicubic differs by 10.
    for (std::size_t i = 0; i < ours.size(); ++i) ASSERT_NEAR(ours[i], expected[i], 5e-4) << input.name();
  }
}

TEST(Resample, NearestDoesNotKnowAntialias) {
  for (const GoldenInput& input : golden_inputs()) {
    if (input.filter != Interpolation::kNearest) continue;
    EXPECT_EQ(input.ours(false), input.ours(true)) << input.name();
  }
}

RC_GTEST_PROP(Resample, AnySquareIsThatPartOfTheScaledImage, ()) {
  const RgbImage image = any_image(*rc::gen::inRange(1, 40), *rc::gen::inRange(1, 40));
  const int whole = *rc::gen::inRange(1, 60);
  const int size = *rc::gen::inRange(1, whole + 1);
  const int top = *rc::gen::inRange(0, whole - size + 1);
  const int left = *rc::gen::inRange(0, whole - size + 1);
  const Resampling resampling{*rc::gen::elementOf(named_values<Interpolation>()),
                              *rc::gen::arbitrary<bool>()};
  const std::vector<float> all = resampled(image, {whole, whole, 0, 0, whole}, resampling);
  const std::vector<float> part = resampled(image, {whole, whole, top, left, size}, resampling);
  for (int y = 0; y < size; ++y) {
    const auto row = part.begin() + std::ptrdiff_t{y} * size * 3;
    RC_ASSERT(std::equal(row, row + std::ptrdiff_t{size} * 3,
                         all.begin() + (std::ptrdiff_t{top + y} * whole + left) * 3));
  }
}

TEST(Resample, TheSameSizeIsTheSameImage) {
  RgbImage image{16, 16, {}};
  for (int i = 0; i < 16 * 16 * 3; ++i) image.pixels.push_back(static_cast<std::uint8_t>(i * 37 % 256));
  const std::vector<float> expected(image.pixels.begin(), image.pixels.end());
  for (const Interpolation filter : named_values<Interpolation>()) {
    for (const bool antialias : {false, true}) {
      EXPECT_EQ(resampled(image, {16, ResizeMode::kShorterSide, filter, 1.0, antialias}), expected);
    }
  }
}

// Most of the scaled images would take gigabytes, the largest 2.8 TB.
TEST(Resample, ExtremeShapesKeepTheirColour) {
  for (const auto& [height, width] :
       {std::pair{1, 65'535}, {65'535, 1}, {2, 65'535}, {1'000'000, 1}, {1, 1}}) {
    const RgbImage image{height, width,
                         std::vector<std::uint8_t>(
                             static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * 3, 200)};
    for (const ResizeMode mode : {ResizeMode::kStretch, ResizeMode::kShorterSide}) {
      for (const Interpolation filter : named_values<Interpolation>()) {
        for (const bool antialias : {false, true}) {
          const std::vector<float> out = resampled(image, {96, mode, filter, 0.1, antialias});
          const auto near = [](float value) { return std::abs(value - 200.0F) < 1e-3F; };
          EXPECT_TRUE(std::all_of(out.begin(), out.end(), near)) << height << " x " << width;
        }
      }
    }
  }
}

}  // namespace
}  // namespace headstart
