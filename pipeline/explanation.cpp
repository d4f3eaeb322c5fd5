// pipeline/explanation.cpp
#include "pipeline/explanation.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace headstart {
namespace {

constexpr float kStrongest = 0.7F;
constexpr float kGamma = 0.6F;  // what is half as large still shows

/// Values over pixels of a rectangle, bilinear between the centres of the map's cells.
cv::Mat enlarged(std::span<const float> map, int size, int height, int width) {
  const float largest = *std::max_element(map.begin(), map.end());
  cv::Mat small(size, size, CV_32F);
  std::transform(map.begin(), map.end(), small.begin<float>(),
                 [&](float value) { return largest > 0.0F ? value / largest : 0.0F; });
  cv::Mat large;
  cv::resize(small, large, cv::Size(width, height), 0, 0, cv::INTER_LINEAR);
  return large;
}

}  // namespace

RgbImage overlay(RgbImage image, std::span<const float> map, int size, ResizeMode mode) {
  // Rec. 601 luma, as JPEG has it.
  for (std::size_t at = 0; at < image.pixels.size(); at += 3) {
    const double luma =
        0.299 * image.pixels[at] + 0.587 * image.pixels[at + 1] + 0.114 * image.pixels[at + 2];
    std::fill_n(image.pixels.begin() + static_cast<std::ptrdiff_t>(at), 3,
                static_cast<std::uint8_t>(std::lround(luma)));
  }
  const int side = std::min(image.height, image.width);
  const int height = mode == ResizeMode::kCrop ? side : image.height;
  const int width = mode == ResizeMode::kCrop ? side : image.width;
  const int top = (image.height - height) / 2;
  const int left = (image.width - width) / 2;
  const cv::Mat heat = enlarged(map, size, height, width);
  cv::Mat levels;
  heat.convertTo(levels, CV_8U, 255);
  cv::Mat colours;  // BGR
  cv::applyColorMap(levels, colours, cv::COLORMAP_TURBO);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const float cover = kStrongest * std::pow(heat.at<float>(y, x), kGamma);
      const cv::Vec3b& colour = colours.at<cv::Vec3b>(y, x);
      auto pixel = image.pixels.begin() + 3 * (static_cast<std::ptrdiff_t>(top + y) * image.width + left + x);
      for (int channel = 2; channel >= 0; --channel, ++pixel) {
        const float value =
            static_cast<float>(*pixel) * (1.0F - cover) + static_cast<float>(colour[channel]) * cover;
        *pixel = static_cast<std::uint8_t>(std::lround(value));
      }
    }
  }
  return image;
}

}  // namespace headstart
