// data/image/decode.cpp: reads the header, calls the decoder of the format, and does the checks that all
// formats share.
#include "data/image/decode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <new>
#include <optional>
#include <utility>

#include "data/image/exif_orientation.hpp"
#include "data/image/image_format.hpp"
#include "data/image/image_header.hpp"

namespace headstart {
namespace {

using Decoded = std::variant<DecodedImage, Reject>;

/// The largest divisor of the sides with which both keep `least_side` pixels.
int preview_divisor(const ImageHeader& header, std::uint32_t least_side) {
  int divisor = header.format->largest_divisor;
  while (divisor > 1 &&
         std::min(header.width, header.height) / static_cast<std::uint32_t>(divisor) < least_side)
    divisor /= 2;
  return divisor;
}

/// The length of a side after a decoder divided it.
std::uint32_t divided(std::uint32_t side, int divisor) {
  const auto d = static_cast<std::uint32_t>(divisor);
  return side / d + (side % d > 0 ? 1U : 0U);
}

/// @param least_side  of a preview; nothing: the whole image
Decoded decode_checked(std::span<const std::byte> bytes, const DecodeOptions& options,
                       std::optional<int> least_side) {
  if (bytes.empty()) return Reject{"is empty"};
  std::variant<ImageHeader, Reject> read = read_image_header(bytes);
  if (Reject* const reject = std::get_if<Reject>(&read)) return std::move(*reject);
  const ImageHeader header = std::get<ImageHeader>(read);
  if (header.pixels() > options.max_pixels) {
    return Reject{fmt::format("is {} x {} = {} pixels, more than the limit of {}", header.width,
                              header.height, header.pixels(), options.max_pixels)};
  }

  const int divisor = least_side ? preview_divisor(header, static_cast<std::uint32_t>(*least_side)) : 1;
  Decoded decoded = header.format->decode(bytes, header, options, divisor);
  DecodedImage* const stored = std::get_if<DecodedImage>(&decoded);
  if (stored == nullptr) return decoded;
  RgbImage& image = stored->image;
  if (std::cmp_not_equal(image.width, divided(header.width, divisor)) ||
      std::cmp_not_equal(image.height, divided(header.height, divisor))) {
    return Reject{fmt::format("is {} x {} pixels by its header but {} x {} by its data", header.width,
                              header.height, image.width, image.height)};
  }
  if (!options.ignore_exif) image = upright(std::move(image), exif_orientation(bytes));
  return decoded;
}

/// @param least_side  of a preview; nothing: the whole image
Decoded decode_or_reject(std::span<const std::byte> bytes, const DecodeOptions& options,
                         std::optional<int> least_side) {
  try {
    return decode_checked(bytes, options, least_side);
  } catch (const std::bad_alloc&) {
    return Reject{"does not fit into memory"};
  } catch (const std::exception& error) {
    return Reject{fmt::format("cannot be decoded: {}", printable(error.what()))};
  }
}

}  // namespace

Decoded decode_image(std::span<const std::byte> bytes, const DecodeOptions& options) {
  return decode_or_reject(bytes, options, std::nullopt);
}

Decoded decode_preview(std::span<const std::byte> bytes, const DecodeOptions& options, int least_side) {
  return decode_or_reject(bytes, options, least_side);
}

}  // namespace headstart
