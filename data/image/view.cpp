// data/image/view.cpp: see view.hpp. The generator is SHA-256 in counter mode. A view costs one or two
// digests, and any language can draw the same view.
#include "data/image/view.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace headstart {
namespace {

constexpr std::string_view kDomain = "headstart view 1";
constexpr double kMinShare = 0.6;
constexpr double kMaxShare = 1.0;
constexpr double kMinRatio = 3.0 / 4.0;
constexpr double kMaxRatio = 4.0 / 3.0;
constexpr int kTries = 10;

std::array<std::byte, 8> little_endian(std::uint64_t value) {
  std::array<std::byte, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(value >> (8 * i));
  return bytes;
}

/// Number i is bytes 8 (i mod 4) and up of SHA-256(key, i / 4), little-endian.
class Draw {
 public:
  explicit Draw(const Sha256& key) : key_(key) {}

  /// Uniform in [low, high), with 53 bits.
  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(next() >> 11U) * 0x1p-53;
  }
  /// In 0..bound-1. The bias, bound / 2^53, is negligible for the sides of an image.
  int below(int bound) { return static_cast<int>(uniform(0.0, bound)); }

 private:
  std::uint64_t next() {
    if (used_ % 4 == 0) {
      Sha256Stream stream;
      stream.update(std::as_bytes(std::span(key_.bytes)));
      stream.update(little_endian(used_ / 4));
      block_ = stream.finish();
    }
    const std::size_t first = 8 * (used_++ % 4);
    std::uint64_t number = 0;
    for (std::size_t i = 8; i > 0; --i) number = number << 8U | block_.bytes[first + i - 1];
    return number;
  }

  Sha256 key_;
  Sha256 block_;
  std::uint64_t used_ = 0;
};

int rounded(double length) { return static_cast<int>(std::lround(length)); }

/// A random crop, or nothing if it does not fit.
std::optional<View> try_crop(Draw& draw, int width, int height) {
  const double area = draw.uniform(kMinShare, kMaxShare) * width * height;
  const double ratio = std::exp(draw.uniform(std::log(kMinRatio), std::log(kMaxRatio)));
  View view;
  view.width = rounded(std::sqrt(area * ratio));
  view.height = rounded(std::sqrt(area / ratio));
  if (view.width < 1 || view.height < 1 || view.width > width || view.height > height) return std::nullopt;
  view.x = draw.below(width - view.width + 1);
  view.y = draw.below(height - view.height + 1);
  return view;
}

/// The largest centred rectangle whose ratio is in range.
View centred_crop(int width, int height) {
  const double ratio = static_cast<double>(width) / height;
  View view{false, 0, 0, width, height};
  if (ratio < kMinRatio) view.height = std::clamp(rounded(width / kMinRatio), 1, height);
  if (ratio > kMaxRatio) view.width = std::clamp(rounded(height * kMaxRatio), 1, width);
  view.x = (width - view.width) / 2;
  view.y = (height - view.height) / 2;
  return view;
}

}  // namespace

Sha256 view_key(const Sha256& content, std::uint64_t index) {
  if (index == 0) return content;
  Sha256Stream stream;
  stream.update(std::as_bytes(std::span(content.bytes)));
  stream.update(std::as_bytes(std::span(kDomain)));
  stream.update(little_endian(index));
  return stream.finish();
}

View draw_view(const Sha256& key, int width, int height) {
  assert(width >= 1 && height >= 1);
  Draw draw(key);
  const bool flip = draw.uniform(0.0, 1.0) < 0.5;
  std::optional<View> crop;
  for (int i = 0; i < kTries && !crop; ++i) crop = try_crop(draw, width, height);
  View view = crop ? *crop : centred_crop(width, height);
  view.flip = flip;
  return view;
}

RgbImage cut(const RgbImage& image, const View& view) {
  assert(view.x >= 0 && view.y >= 0 && view.width >= 1 && view.height >= 1);
  assert(view.x + view.width <= image.width && view.y + view.height <= image.height);
  constexpr std::size_t kOfRgb = 3;
  const auto width = static_cast<std::size_t>(view.width);
  const std::size_t stride = static_cast<std::size_t>(image.width) * kOfRgb;
  RgbImage result{view.height, view.width, {}};
  result.pixels.resize(static_cast<std::size_t>(view.height) * width * kOfRgb);
  auto out = result.pixels.begin();
  for (int y = 0; y < view.height; ++y) {
    const auto row = std::span(image.pixels)
                         .subspan(static_cast<std::size_t>(view.y + y) * stride +
                                      static_cast<std::size_t>(view.x) * kOfRgb,
                                  width * kOfRgb);
    if (!view.flip) {
      out = std::copy(row.begin(), row.end(), out);
      continue;
    }
    for (std::size_t x = width; x > 0; --x) {
      const auto pixel = row.subspan((x - 1) * kOfRgb, kOfRgb);
      out = std::copy(pixel.begin(), pixel.end(), out);
    }
  }
  return result;
}

}  // namespace headstart
