// data/image/thumbnail.cpp
#include "data/image/thumbnail.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "data/image/jpeg.hpp"

namespace headstart {
namespace {

constexpr int kQuality = 80;

/// The first of `in` input pixels that output pixel `out` of `size` covers. begin_of(size, ...) is the end of
/// the last.
int begin_of(int out, int in, int size) { return static_cast<int>(std::int64_t{out} * in / size); }

}  // namespace

RgbImage shrink(RgbImage image, int side) {
  const int longer = std::max(image.width, image.height);
  if (longer <= side) return image;
  const auto scaled = [&](int length) {
    return std::max(1, static_cast<int>((std::int64_t{length} * side + longer / 2) / longer));
  };
  RgbImage small{scaled(image.height), scaled(image.width), {}};
  small.pixels.reserve(static_cast<std::size_t>(small.height) * static_cast<std::size_t>(small.width) * 3);
  for (int y = 0; y < small.height; ++y) {
    const int top = begin_of(y, image.height, small.height);
    const int bottom = begin_of(y + 1, image.height, small.height);
    for (int x = 0; x < small.width; ++x) {
      const int left = begin_of(x, image.width, small.width);
      const int right = begin_of(x + 1, image.width, small.width);
      for (int channel = 0; channel < 3; ++channel) {
        std::uint64_t sum = 0;
        for (int row = top; row < bottom; ++row) {
          for (int column = left; column < right; ++column)
            sum += image.pixels[(static_cast<std::size_t>(row) * static_cast<std::size_t>(image.width) +
                                 static_cast<std::size_t>(column)) *
                                    3 +
                                static_cast<std::size_t>(channel)];
        }
        const auto count =
            static_cast<std::uint64_t>(bottom - top) * static_cast<std::uint64_t>(right - left);
        small.pixels.push_back(static_cast<std::uint8_t>((sum + count / 2) / count));
      }
    }
  }
  return small;
}

std::variant<std::vector<std::byte>, Reject> make_thumbnail(std::span<const std::byte> bytes,
                                                            const DecodeOptions& options, int side) {
  std::variant<DecodedImage, Reject> decoded = decode_preview(bytes, options, side);
  if (Reject* const reject = std::get_if<Reject>(&decoded)) return std::move(*reject);
  return encode_jpeg(shrink(std::move(std::get<DecodedImage>(decoded).image), side), kQuality);
}

}  // namespace headstart
