// data/bmp.cpp: colours by OpenCV, alpha by us: OpenCV 4.6 drops it and later versions keep it.
#include "data/bmp.hpp"

#include <string_view>

#include "data/byte_view.hpp"
#include "data/opencv_decode.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;

constexpr std::uint32_t kUncompressed = 0;
constexpr std::uint32_t kBitFields = 3;
constexpr std::uint32_t kAlphaBitFields = 6;
constexpr std::uint32_t kTopByte = 0xFF000000;

bool is_run_length_coded(const BmpHeader& header) {
  return header.compression != kUncompressed && header.compression != kBitFields &&
         header.compression != kAlphaBitFields;
}

std::uint64_t pixel_bytes(const BmpHeader& header) {
  const auto height = static_cast<std::uint64_t>(header.height < 0 ? -header.height : header.height);
  return (static_cast<std::uint64_t>(header.width) * header.bits + 31) / 32 * 4 * height;
}

/// Composes `image` with the top byte of each 32-bit pixel.
void compose(RgbImage& image, const BmpHeader& header, std::span<const std::byte> pixels) {
  const auto height = static_cast<std::size_t>(image.height);
  const auto width = static_cast<std::size_t>(image.width);
  const auto alpha_at = [&](std::size_t y, std::size_t x) {
    const std::size_t row = header.height < 0 ? y : height - 1 - y;
    return std::to_integer<unsigned>(pixels[(row * width + x) * 4 + 3]);
  };
  bool any = false;
  for (std::size_t i = 3; i < pixels.size() && !any; i += 4) any = pixels[i] != std::byte{0};
  if (!any) return;
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      for (std::size_t channel = 0; channel < 3; ++channel) {
        std::uint8_t& colour = image.pixels[(y * width + x) * 3 + channel];
        colour = over_white(colour, alpha_at(y, x), Transparency::kStraight);
      }
    }
  }
}

}  // namespace

std::optional<BmpHeader> read_bmp_header(std::span<const std::byte> bytes) {
  const ByteView view(bytes, std::endian::little);
  if (!view.has(0, "BM"sv)) return std::nullopt;
  const std::uint32_t header_bytes = view.u32(14);
  BmpHeader header;
  header.pixel_offset = view.u32(10);
  if (header_bytes == 12) {  // OS/2
    header.width = view.u16(18);
    header.height = view.u16(20);
    header.bits = view.u16(24);
    return header;
  }
  if (header_bytes < 16 || header_bytes > 256) return std::nullopt;  // text that starts with BM
  header.width = static_cast<std::int32_t>(view.u32(18));
  header.height = static_cast<std::int32_t>(view.u32(22));
  header.bits = view.u16(28);
  header.compression = view.u32(30);
  // The masks stand behind a header of 40 bytes, and at the same place inside a longer one.
  const bool has_alpha_mask = header_bytes >= 56 || header.compression == kAlphaBitFields;
  if (header.compression == kBitFields || header.compression == kAlphaBitFields) {
    header.alpha_mask = has_alpha_mask ? view.u32(66) : 0;
  }
  return header;
}

std::variant<RgbImage, Reject> decode_bmp(std::span<const std::byte> bytes, Alpha alpha) {
  const std::optional<BmpHeader> header = read_bmp_header(bytes);
  if (!header) return Reject{"BMP has an invalid header"};
  const ByteView view(bytes);
  if (!is_run_length_coded(*header) && !view.holds(header->pixel_offset, pixel_bytes(*header))) {
    return Reject{"BMP ends early"};
  }
  std::variant<RgbImage, Reject> decoded = decode_with_opencv(bytes, {.format_name = "BMP"}, alpha);
  RgbImage* const image = std::get_if<RgbImage>(&decoded);
  const bool has_alpha =
      header->bits == 32 && header->alpha_mask == kTopByte && !is_run_length_coded(*header);
  if (image != nullptr && has_alpha && alpha == Alpha::kWhite && image->width == header->width &&
      image->height == (header->height < 0 ? -header->height : header->height)) {
    compose(*image, *header, view.slice(header->pixel_offset, pixel_bytes(*header)));
  }
  return decoded;
}

}  // namespace headstart
