// data/image/resize.cpp: the arithmetic of tf.image.resize, operation by operation, in float32. Cost:
// bilinear reads two source rows for each result row and writes 12 bytes a pixel. The blend along x takes
// most of the time: one multiply-add a value, without a vector form for three interleaved bytes. The blend
// along y runs at vector width.
#include "data/image/resize.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "data/image/input_geometry.hpp"
#include "data/image/resampling.hpp"
#include "data/image/view.hpp"

namespace headstart {
namespace {

constexpr std::size_t kChannels = 3;

constexpr std::size_t index(int value) { return static_cast<std::size_t>(value); }

/// The part of the image that becomes the result.
struct Window {
  int top = 0;
  int left = 0;
  int height = 0;
  int width = 0;
};

/// Keras's smart_resize for a square result. Its products and quotients are float32, and so are these.
Window centred_square(const RgbImage& image, int size) {
  const auto side = [size](int length) {
    const float scaled =
        static_cast<float>(static_cast<std::int64_t>(length) * size) / static_cast<float>(size);
    return static_cast<int>(scaled);
  };
  const int height = std::max(std::min(image.height, side(image.width)), 1);
  const int width = std::max(std::min(image.width, side(image.height)), 1);
  return {(image.height - height) / 2, (image.width - width) / 2, height, width};
}

/// One result coordinate between two source coordinates.
struct Tap {
  std::size_t lower = 0;
  std::size_t upper = 0;
  float fraction = 0.0F;
};

std::vector<Tap> bilinear_taps(int in_size, int out_size, int start) {
  const float scale = static_cast<float>(in_size) / static_cast<float>(out_size);
  std::vector<Tap> taps(index(out_size));
  for (int i = 0; i < out_size; ++i) {
    const float in = (static_cast<float>(i) + 0.5F) * scale - 0.5F;
    const float floor = std::floor(in);
    const int lower = std::clamp(static_cast<int>(floor), 0, in_size - 1);
    const int upper = std::clamp(static_cast<int>(std::ceil(in)), 0, in_size - 1);
    taps[index(i)] = {index(start) + index(lower), index(start) + index(upper), in - floor};
  }
  return taps;
}

std::vector<std::size_t> nearest_taps(int in_size, int out_size, int start) {
  const float scale = static_cast<float>(in_size) / static_cast<float>(out_size);
  std::vector<std::size_t> taps(index(out_size));
  for (int i = 0; i < out_size; ++i) {
    const auto in = static_cast<int>(std::floor((static_cast<float>(i) + 0.5F) * scale));
    taps[index(i)] = index(start) + index(std::min(in, in_size - 1));
  }
  return taps;
}

std::span<const std::uint8_t> row_of(const RgbImage& image, std::size_t y) {
  const std::size_t stride = index(image.width) * kChannels;
  return std::span(image.pixels).subspan(y * stride, stride);
}

void blend_along_x(std::span<const std::uint8_t> row, std::span<const Tap> taps, std::span<float> out) {
  const std::uint8_t* const in = row.data();
  float* result = out.data();
  for (const Tap& tap : taps) {
    const std::uint8_t* const lower = in + tap.lower * kChannels;
    const std::uint8_t* const upper = in + tap.upper * kChannels;
    for (std::size_t channel = 0; channel < kChannels; ++channel) {
      const auto left = static_cast<float>(lower[channel]);
      const auto right = static_cast<float>(upper[channel]);
      result[channel] = left + (right - left) * tap.fraction;
    }
    result += kChannels;
  }
}

void blend_along_y(std::span<const float> top, std::span<const float> bottom, float fraction,
                   std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = top[i] + (bottom[i] - top[i]) * fraction;
}

void resize_bilinear(const RgbImage& image, const Window& window, int size, std::span<float> out) {
  const std::vector<Tap> columns = bilinear_taps(window.width, size, window.left);
  const std::vector<Tap> rows = bilinear_taps(window.height, size, window.top);
  const std::size_t out_stride = index(size) * kChannels;

  // A source row is blended along x only once. `top` and `bottom` hold rows `top_y` and `bottom_y`, which
  // change slowly if the image is enlarged.
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::vector<float> top(out_stride);
  std::vector<float> bottom(out_stride);
  std::size_t top_y = kNone;
  std::size_t bottom_y = kNone;
  for (std::size_t y = 0; y < rows.size(); ++y) {
    const Tap& row = rows[y];
    if (row.lower != top_y && row.lower == bottom_y) {
      std::swap(top, bottom);
      std::swap(top_y, bottom_y);
    }
    if (row.lower != top_y) blend_along_x(row_of(image, top_y = row.lower), columns, top);
    if (row.upper != bottom_y) blend_along_x(row_of(image, bottom_y = row.upper), columns, bottom);
    blend_along_y(top, bottom, row.fraction, out.subspan(y * out_stride, out_stride));
  }
}

void resize_nearest(const RgbImage& image, const Window& window, int size, std::span<float> out) {
  const std::vector<std::size_t> columns = nearest_taps(window.width, size, window.left);
  auto result = out.begin();
  for (const std::size_t y : nearest_taps(window.height, size, window.top)) {
    const std::span<const std::uint8_t> row = row_of(image, y);
    for (const std::size_t x : columns) {
      for (std::size_t channel = 0; channel < kChannels; ++channel) {
        *result++ = static_cast<float>(row[x * kChannels + channel]);
      }
    }
  }
}

}  // namespace

void resize(const RgbImage& image, const ResizeOptions& options, std::span<float> out) {
  assert(image.height >= 1 && image.width >= 1 && options.size >= 1);
  assert(out.size() == index(options.size) * index(options.size) * kChannels);
  const bool cropped = options.mode == ResizeMode::kCrop;
  const Window window =
      cropped ? centred_square(image, options.size) : Window{0, 0, image.height, image.width};
  if (options.mode != ResizeMode::kShorterSide && !options.antialias) {
    if (options.interpolation == Interpolation::kNearest)
      return resize_nearest(image, window, options.size, out);
    if (options.interpolation == Interpolation::kBilinear)
      return resize_bilinear(image, window, options.size, out);
  }
  const Resampling resampling{options.interpolation, options.antialias};
  if (cropped) {
    const RgbImage square =
        cut(image, {.x = window.left, .y = window.top, .width = window.width, .height = window.height});
    return resample(square, {options.size, options.size, 0, 0, options.size}, resampling, out);
  }
  resample(image, scaled_square(image.height, image.width, options), resampling, out);
}

}  // namespace headstart
