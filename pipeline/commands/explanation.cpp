// pipeline/commands/explanation.cpp
#include "pipeline/commands/explanation.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipeline/run/turbo.hpp"

namespace headstart {
namespace {

constexpr float kStrongest = 0.7F;
constexpr float kGamma = 0.6F;  // half of the largest value is still visible

/// A pixel's place between the centres of two cells.
struct Between {
  std::size_t before = 0;
  std::size_t after = 0;
  float part = 0.0F;  // the weight of `after`
};

std::vector<Between> places(int cells, int pixels) {
  const double scale = static_cast<double>(cells) / pixels;
  std::vector<Between> found;
  found.reserve(static_cast<std::size_t>(pixels));
  for (int i = 0; i < pixels; ++i) {
    const auto place =
        std::clamp(static_cast<float>((i + 0.5) * scale - 0.5), 0.0F, static_cast<float>(cells - 1));
    const auto before = static_cast<std::size_t>(place);
    found.push_back({before, std::min(before + 1, static_cast<std::size_t>(cells - 1)),
                     place - static_cast<float>(before)});
  }
  return found;
}

/// Values [height, width] for the pixels of a rectangle, 0 to 1, bilinear between the centres of the map's
/// cells.
std::vector<float> enlarged(std::span<const float> map, int size, int height, int width) {
  const float largest = *std::max_element(map.begin(), map.end());
  std::vector<float> parts(map.begin(), map.end());
  if (largest > 0.0F) std::for_each(parts.begin(), parts.end(), [&](float& value) { value /= largest; });
  const std::vector<Between> columns = places(size, width);
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(height) * static_cast<std::size_t>(width));
  for (const Between& y : places(size, height)) {
    const auto along = [&](std::size_t row, const Between& x) {
      const float* const cells = parts.data() + row * static_cast<std::size_t>(size);
      return cells[x.before] * (1.0F - x.part) + cells[x.after] * x.part;
    };
    for (const Between& x : columns) {
      values.push_back(along(y.before, x) * (1.0F - y.part) + along(y.after, x) * y.part);
    }
  }
  return values;
}

/// The side of the centred square that the network saw, to the nearest pixel.
int seen_side(const RgbImage& image, const ResizeOptions& resize) {
  const int shorter = std::min(image.height, image.width);
  if (resize.mode != ResizeMode::kShorterSide) return shorter;
  return std::max(1, static_cast<int>(std::lround(shorter * resize.crop_share)));
}

}  // namespace

RgbImage overlay(RgbImage image, std::span<const float> map, int size, const ResizeOptions& resize) {
  // Rec. 601 luma, as in JPEG.
  for (std::size_t at = 0; at < image.pixels.size(); at += 3) {
    const double luma =
        0.299 * image.pixels[at] + 0.587 * image.pixels[at + 1] + 0.114 * image.pixels[at + 2];
    std::fill_n(image.pixels.begin() + static_cast<std::ptrdiff_t>(at), 3,
                static_cast<std::uint8_t>(std::lround(luma)));
  }
  const int side = seen_side(image, resize);
  const int height = resize.mode == ResizeMode::kStretch ? image.height : side;
  const int width = resize.mode == ResizeMode::kStretch ? image.width : side;
  const int top = (image.height - height) / 2;
  const int left = (image.width - width) / 2;
  const std::vector<float> heat = enlarged(map, size, height, width);
  auto value = heat.begin();
  for (int y = 0; y < height; ++y) {
    auto pixel = image.pixels.begin() + 3 * (static_cast<std::ptrdiff_t>(top + y) * image.width + left);
    for (int x = 0; x < width; ++x, ++value) {
      const float cover = kStrongest * std::pow(*value, kGamma);
      for (const std::uint8_t colour : turbo(static_cast<std::uint8_t>(std::lround(*value * 255.0F)))) {
        const float mixed = static_cast<float>(*pixel) * (1.0F - cover) + static_cast<float>(colour) * cover;
        *pixel++ = static_cast<std::uint8_t>(std::lround(mixed));
      }
    }
  }
  return image;
}

}  // namespace headstart
