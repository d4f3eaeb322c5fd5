// data/image/bmp.cpp: see bmp.hpp. Reads the headers of OS/2 1.x and 2.x, and of Windows from
// BITMAPINFOHEADER to BITMAPV5HEADER. Note: many writers state a wrong palette size or pixel offset. So the
// room between header and pixels decides how many colours there are.
#include "data/image/bmp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <string_view>
#include <utility>
#include <vector>

#include "data/image/bmp_runs.hpp"
#include "data/image/byte_view.hpp"
#include "data/image/transparency.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kFileHeaderBytes = 14;
constexpr std::uint32_t kOs2HeaderBytes = 12;
constexpr std::uint32_t kInfoHeaderBytes = 40;
constexpr std::uint32_t kAlphaMaskHeaderBytes = 56;

constexpr std::uint32_t kPlain = 0;
constexpr std::uint32_t kRuns8 = 1;
constexpr std::uint32_t kRuns4 = 2;
constexpr std::uint32_t kMasks = 3;
constexpr std::uint32_t kJpegInside = 4;
constexpr std::uint32_t kPngInside = 5;
constexpr std::uint32_t kMasksWithAlpha = 6;

using Masks = std::array<std::uint32_t, 4>;
constexpr Masks kMasks555{0x7C00, 0x3E0, 0x1F, 0};
constexpr Masks kMasks888{0xFF0000, 0xFF00, 0xFF, 0};
constexpr Masks kMasks8888{0xFF0000, 0xFF00, 0xFF, 0xFF000000};

bool has_masks(const BmpHeader& header) {
  return header.compression == kMasks || header.compression == kMasksWithAlpha;
}

bool is_known(std::uint32_t header_bytes) {
  return (header_bytes >= 16 && header_bytes <= 64) || header_bytes == kOs2HeaderBytes ||
         header_bytes == 108 || header_bytes == 124;
}

std::size_t height_of(const BmpHeader& header) {
  return static_cast<std::size_t>(header.height < 0 ? -header.height : header.height);
}

/// Bytes from one row to the next.
std::uint64_t stride_of(const BmpHeader& header) {
  return (static_cast<std::uint64_t>(header.width) * header.bits + 31) / 32 * 4;
}

/// Bytes of all rows. The padding of the last row may be missing.
std::uint64_t pixel_bytes(const BmpHeader& header) {
  return stride_of(header) * (height_of(header) - 1) +
         (static_cast<std::uint64_t>(header.width) * header.bits + 7) / 8;
}

/// The stored row that is the `y`-th row from the top.
std::size_t stored_row(const BmpHeader& header, std::size_t y) {
  return header.height < 0 ? y : height_of(header) - 1 - y;
}

/// Whether the mask is empty or a single run of ones.
bool is_mask(std::uint32_t mask, unsigned bits) {
  const std::uint64_t run = mask == 0 ? 1 : (std::uint64_t{mask} >> std::countr_zero(mask)) + 1;
  return std::has_single_bit(run) && std::uint64_t{mask} >> bits == 0;
}

/// Why an image of this kind is not read; nothing if it is read.
std::optional<Reject> refusal(const BmpHeader& header) {
  if (!is_known(header.bytes))
    return Reject{fmt::format("BMP with a header of {} bytes is not supported", header.bytes)};
  const unsigned bits = header.bits;
  switch (header.compression) {
    case kPlain:
      if (bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16 || bits == 24 || bits == 32)
        return std::nullopt;
      return Reject{fmt::format("BMP with {} bits a pixel is not supported", bits)};
    case kRuns8:
    case kRuns4:
      if (bits == (header.compression == kRuns8 ? 8U : 4U)) return std::nullopt;
      return Reject{fmt::format("BMP with run-length codes and {} bits a pixel is not valid", bits)};
    case kMasks:
    case kMasksWithAlpha:
      if (bits == 1) return Reject{"BMP with OS/2's Huffman coding is not supported"};
      if (bits != 16 && bits != 24 && bits != 32)
        return Reject{fmt::format("BMP with masks and {} bits a pixel is not valid", bits)};
      for (const std::uint32_t mask : header.masks) {
        if (!is_mask(mask, bits)) return Reject{fmt::format("BMP has an invalid mask {:08X}", mask)};
      }
      return std::nullopt;
    case kJpegInside:
      if (bits == 24) return Reject{"BMP with OS/2's 24-bit run-length codes is not supported"};
      return Reject{"BMP with a JPEG inside is not supported"};
    case kPngInside:
      return Reject{"BMP with a PNG inside is not supported"};
    default:
      return Reject{fmt::format("BMP with compression {} is not supported", header.compression)};
  }
}

// ---- with a palette

struct Palette {
  std::span<const std::byte> entries;
  std::size_t entry_bytes = 4;
  std::size_t colours = 0;
  std::uint64_t pixel_offset = 0;
};

std::variant<Palette, Reject> find_palette(const ByteView& file, const BmpHeader& header) {
  const std::uint64_t start = kFileHeaderBytes + header.bytes;
  Palette palette;
  palette.entry_bytes = header.bytes == kOs2HeaderBytes ? 3 : 4;
  const std::uint64_t most = std::uint64_t{1} << header.bits;
  const std::uint64_t declared = header.colours == 0 ? most : header.colours;
  palette.pixel_offset = header.pixel_offset;
  // Some writers forget the palette in the offset, or forget the offset.
  if (header.pixel_offset == 0 || header.pixel_offset == start)
    palette.pixel_offset = start + declared * palette.entry_bytes;
  if (palette.pixel_offset < start) return Reject{"BMP has its pixels inside its header"};
  const std::uint64_t room = (palette.pixel_offset - start) / palette.entry_bytes;
  palette.colours = std::min({declared, room, most});
  if (palette.colours == 0) return Reject{"BMP has no palette"};
  palette.entries = file.slice(start, palette.colours * palette.entry_bytes);
  if (palette.entries.size() < palette.colours * palette.entry_bytes) return Reject{"BMP ends early"};
  return palette;
}

/// The palette's index of each pixel, in the order of the file's rows.
std::variant<std::vector<std::uint8_t>, Reject> read_indices(const ByteView& file, const BmpHeader& header,
                                                             std::uint64_t pixel_offset) {
  const auto width = static_cast<std::size_t>(header.width);
  const std::size_t height = height_of(header);
  if (header.compression != kPlain)
    return read_bmp_runs(file.slice(pixel_offset, file.size()), header.bits, width, height);
  if (!file.holds(pixel_offset, pixel_bytes(header))) return Reject{"BMP ends early"};
  std::vector<std::uint8_t> indices(width * height);
  const unsigned mask = (1U << header.bits) - 1U;
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      const std::size_t bit = x * header.bits;
      const unsigned byte = file.u8(pixel_offset + y * stride_of(header) + bit / 8);
      indices[y * width + x] = static_cast<std::uint8_t>(byte >> (8U - header.bits - bit % 8) & mask);
    }
  }
  return indices;
}

std::variant<RgbImage, Reject> decode_indexed(const ByteView& file, const BmpHeader& header) {
  const std::variant<Palette, Reject> found = find_palette(file, header);
  if (const Reject* reject = std::get_if<Reject>(&found)) return *reject;
  const auto& palette = std::get<Palette>(found);
  const auto read = read_indices(file, header, palette.pixel_offset);
  if (const Reject* reject = std::get_if<Reject>(&read)) return *reject;
  const auto& indices = std::get<std::vector<std::uint8_t>>(read);

  const ByteView colours(palette.entries);
  const std::size_t height = height_of(header);
  const auto width = static_cast<std::size_t>(header.width);
  RgbImage image{static_cast<int>(height), static_cast<int>(width),
                 std::vector<std::uint8_t>(indices.size() * 3)};
  std::uint8_t* out = image.pixels.data();
  for (std::size_t y = 0; y < height; ++y) {
    const std::uint8_t* const row = indices.data() + stored_row(header, y) * width;
    for (std::size_t x = 0; x < width; ++x) {
      if (row[x] >= palette.colours) return Reject{"BMP has pixels of colours that its palette lacks"};
      const std::size_t entry = row[x] * palette.entry_bytes;
      for (std::size_t channel = 0; channel < 3; ++channel) *out++ = colours.u8(entry + 2 - channel);
    }
  }
  return image;
}

// ---- with masks

/// One channel of a pixel.
class Channel {
 public:
  explicit Channel(std::uint32_t mask)
      : mask_(mask), shift_(mask == 0 ? 0 : std::countr_zero(mask)), white_(mask == 0 ? 1 : mask >> shift_) {}

  /// Scaled to 0..255, rounded to nearest; 0 if there is no mask.
  [[nodiscard]] std::uint8_t of(std::uint32_t pixel) const {
    const std::uint64_t value = (pixel & mask_) >> shift_;
    return static_cast<std::uint8_t>(white_ == 255 ? value : (value * 255 + white_ / 2) / white_);
  }

 private:
  std::uint32_t mask_;
  int shift_;
  std::uint64_t white_;
};

Masks masks_of(const BmpHeader& header) {
  const Masks& masks = header.masks;
  if (has_masks(header) && (masks[0] | masks[1] | masks[2]) != 0) return masks;
  if (header.bits == 16) return kMasks555;
  // Masks that are all zero stand for the usual masks, as in Pillow.
  return has_masks(header) && header.bits == 32 ? kMasks8888 : kMasks888;
}

std::variant<RgbImage, Reject> decode_direct(const ByteView& file, const BmpHeader& header, Alpha alpha) {
  const bool masks_follow = has_masks(header) && header.bytes == kInfoHeaderBytes;
  const std::uint64_t start = kFileHeaderBytes + header.bytes +
                              (masks_follow ? (header.compression == kMasksWithAlpha ? 16U : 12U) : 0U);
  const std::uint64_t offset = header.pixel_offset == 0 ? start : header.pixel_offset;
  if (offset < kFileHeaderBytes + header.bytes) return Reject{"BMP has its pixels inside its header"};
  if (!file.holds(offset, pixel_bytes(header))) return Reject{"BMP ends early"};

  const ByteView pixels(file.slice(offset, file.size()), std::endian::little);
  const std::size_t height = height_of(header);
  const auto width = static_cast<std::size_t>(header.width);
  const auto pixel_at = [&](std::size_t y, std::size_t x) {
    const std::uint64_t position = stored_row(header, y) * stride_of(header) + x * (header.bits / 8);
    return header.bits == 16   ? pixels.u16(position)
           : header.bits == 24 ? pixels.u24(position)
                               : pixels.u32(position);
  };
  const Masks masks = masks_of(header);
  const std::array<Channel, 4> channels{Channel(masks[0]), Channel(masks[1]), Channel(masks[2]),
                                        Channel(masks[3])};
  bool composes = false;
  if (alpha == Alpha::kWhite && masks[3] != 0) {
    for (std::size_t y = 0; y < height && !composes; ++y) {
      for (std::size_t x = 0; x < width && !composes; ++x) composes = (pixel_at(y, x) & masks[3]) != 0;
    }
  }
  RgbImage image{static_cast<int>(height), static_cast<int>(width),
                 std::vector<std::uint8_t>(width * height * 3)};
  std::uint8_t* out = image.pixels.data();
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      const std::uint32_t pixel = pixel_at(y, x);
      const unsigned opacity = composes ? channels[3].of(pixel) : 255U;
      for (std::size_t channel = 0; channel < 3; ++channel) {
        const std::uint8_t colour = channels[channel].of(pixel);
        *out++ = opacity == 255U ? colour : over_white(colour, opacity, Transparency::kStraight);
      }
    }
  }
  return image;
}

}  // namespace

std::optional<BmpHeader> read_bmp_header(std::span<const std::byte> bytes) {
  const ByteView file(bytes, std::endian::little);
  if (!file.has(0, "BM"sv)) return std::nullopt;
  BmpHeader header;
  header.bytes = file.u32(kFileHeaderBytes);
  header.pixel_offset = file.u32(10);
  const ByteView fields(file.slice(kFileHeaderBytes, header.bytes), std::endian::little);
  if (header.bytes == kOs2HeaderBytes) {
    header.width = fields.u16(4);
    header.height = fields.u16(6);
    header.bits = fields.u16(10);
    return header;
  }
  if (header.bytes < 16 || header.bytes > 256) return std::nullopt;  // text that starts with BM
  header.width = static_cast<std::int32_t>(fields.u32(4));
  header.height = static_cast<std::int32_t>(fields.u32(8));
  header.bits = fields.u16(14);
  header.compression = fields.u32(16);
  header.colours = fields.u32(32);
  if (has_masks(header)) {
    // Masks stand behind a header of 40 bytes, and at the same place inside a longer header.
    const bool has_alpha = header.bytes >= kAlphaMaskHeaderBytes || header.compression == kMasksWithAlpha;
    for (std::size_t i = 0; i < (has_alpha ? 4U : 3U); ++i)
      header.masks[i] = file.u32(kFileHeaderBytes + kInfoHeaderBytes + 4 * i);
  }
  return header;
}

std::variant<RgbImage, Reject> decode_bmp(std::span<const std::byte> bytes, Alpha alpha) {
  const std::optional<BmpHeader> header = read_bmp_header(bytes);
  if (!header) return Reject{"BMP has an invalid header"};
  if (std::optional<Reject> reject = refusal(*header)) return std::move(*reject);
  const ByteView file(bytes, std::endian::little);
  return header->bits <= 8 ? decode_indexed(file, *header) : decode_direct(file, *header, alpha);
}

}  // namespace headstart
