// data/image/decode.cpp: reads the header, calls the decoder of the format, and does the checks that all
// formats share.
#include "data/image/decode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <new>
#include <optional>
#include <utility>

#include "data/image/bmp.hpp"
#include "data/image/exif_orientation.hpp"
#include "data/image/gif.hpp"
#include "data/image/image_header.hpp"
#include "data/image/jpeg.hpp"
#include "data/image/jpeg2000.hpp"
#include "data/image/png.hpp"
#include "data/image/pnm.hpp"
#include "data/image/tiff.hpp"
#include "data/image/webp.hpp"

namespace headstart {
namespace {

using Decoded = std::variant<DecodedImage, Reject>;

Decoded without_note(std::variant<RgbImage, Reject> decoded) {
  if (Reject* const reject = std::get_if<Reject>(&decoded)) return std::move(*reject);
  return DecodedImage{std::get<RgbImage>(std::move(decoded)), {}};
}

/// The image in its stored orientation.
Decoded decode_stored(std::span<const std::byte> bytes, const ImageHeader& header,
                      const DecodeOptions& options, int jpeg_divisor) {
  switch (header.format) {
    case ImageFormat::kJpeg:
      return decode_jpeg(bytes, header, jpeg_divisor);
    case ImageFormat::kPng:
      return decode_png(bytes, options);
    case ImageFormat::kWebp:
      return without_note(decode_webp(bytes, header, options.alpha));
    case ImageFormat::kGif:
      return without_note(decode_gif(bytes, header, options.alpha));
    case ImageFormat::kTiff:
      return decode_tiff(bytes, options);
    case ImageFormat::kBmp:
      return without_note(decode_bmp(bytes, options.alpha));
    case ImageFormat::kPnm:
      return decode_pnm(bytes, options.range);
    case ImageFormat::kJpeg2000:
      return decode_jpeg2000(bytes, options);
  }
  return Reject{"is not an image"};
}

/// The largest divisor of a JPEG's sides with which both keep `least_side` pixels.
int preview_divisor(const ImageHeader& header, std::uint32_t least_side) {
  int divisor = 8;
  while (divisor > 1 &&
         std::min(header.width, header.height) / static_cast<std::uint32_t>(divisor) < least_side)
    divisor /= 2;
  return divisor;
}

/// The length of a side after decode_jpeg() divided it.
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

  const bool divides = least_side && header.format == ImageFormat::kJpeg;
  const int divisor = divides ? preview_divisor(header, static_cast<std::uint32_t>(*least_side)) : 1;
  Decoded decoded = decode_stored(bytes, header, options, divisor);
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
