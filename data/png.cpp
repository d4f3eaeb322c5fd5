// data/png.cpp: hands OpenCV only the chunks that make the picture, each with its checksum verified here.
// Surprise: libpng writes to stderr about odd profiles and damaged chunks, and decompresses text chunks of
// any size; it can do neither for what it never sees.
#include "data/png.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "data/byte_view.hpp"
#include "data/opencv_decode.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kFrameBytes = 12;  // length, type and checksum around a chunk's data
constexpr std::size_t kMaxDeflateRatio = 1032;

/// CRC-32 of ISO 3309, as PNG has it: one table lookup a byte.
constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1U) ^ ((value & 1U) != 0 ? 0xEDB88320U : 0U);
    table[i] = value;
  }
  return table;
}

std::uint32_t crc32(std::span<const std::byte> bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = make_crc_table();
  std::uint32_t value = 0xFFFFFFFFU;
  for (const std::byte byte : bytes) {
    value = (value >> 8U) ^ kTable[(value ^ std::to_integer<std::uint32_t>(byte)) & 0xFFU];
  }
  return ~value;
}

struct Chunk {
  std::string_view type;
  std::span<const std::byte> data;
  std::span<const std::byte> frame;  ///< length, type, data and checksum
};

/// The whole chunk at `position`, or nothing where the bytes end first.
std::optional<Chunk> chunk_at(const ByteView& file, std::size_t position) {
  const std::size_t length = file.u32(position);
  if (!file.holds(position, kFrameBytes + length)) return std::nullopt;
  return Chunk{file.text(position + 4, 4), file.slice(position + 8, length),
               file.slice(position, kFrameBytes + length)};
}

bool is_intact(const Chunk& chunk) {
  const std::span<const std::byte> covered = chunk.frame.subspan(4, chunk.frame.size() - 8);
  return crc32(covered) == ByteView(chunk.frame).u32(chunk.frame.size() - 4);
}

/// What the image header chunk says.
struct Layout {
  std::uint64_t width = 0;
  std::uint64_t height = 0;
  unsigned depth = 0;
  unsigned colour_type = 0;
};

constexpr unsigned kGrey = 0;
constexpr unsigned kColour = 2;
constexpr unsigned kPalette = 3;
constexpr unsigned kGreyAlpha = 4;
constexpr unsigned kColourAlpha = 6;

bool is_known(const Layout& layout) {
  switch (layout.colour_type) {
    case kGrey:
      return layout.depth == 1 || layout.depth == 2 || layout.depth == 4 || layout.depth == 8 ||
             layout.depth == 16;
    case kPalette:
      return layout.depth == 1 || layout.depth == 2 || layout.depth == 4 || layout.depth == 8;
    case kColour:
    case kGreyAlpha:
    case kColourAlpha:
      return layout.depth == 8 || layout.depth == 16;
    default:
      return false;
  }
}

std::uint64_t raw_bytes(const Layout& layout) {
  const std::uint64_t samples = layout.colour_type == kColourAlpha ? 4
                                : layout.colour_type == kColour    ? 3
                                : layout.colour_type == kGreyAlpha ? 2
                                                                   : 1;
  return layout.height * ((layout.width * samples * layout.depth + 7) / 8 + 1);
}

/// A PNG reduced to what makes the picture.
struct Picture {
  Layout layout;
  std::size_t palette_entries = 0;
  std::span<const std::byte> transparency;
  std::vector<std::byte> file;
};

bool transparency_fits(const Picture& picture, const Chunk& chunk) {
  switch (picture.layout.colour_type) {
    case kGrey:
      return chunk.data.size() == 2;
    case kColour:
      return chunk.data.size() == 6;
    case kPalette:
      return !chunk.data.empty() && chunk.data.size() <= picture.palette_entries;
    default:
      return false;
  }
}

std::variant<Picture, Reject> reduce(std::span<const std::byte> bytes) {
  const ByteView file(bytes);
  Picture picture;
  const auto keep = [&](std::span<const std::byte> part) {
    picture.file.insert(picture.file.end(), part.begin(), part.end());
  };
  std::size_t compressed_bytes = 0;
  keep(file.slice(0, kPngSignature.size()));

  std::size_t position = kPngSignature.size();
  while (true) {
    const std::optional<Chunk> chunk = chunk_at(file, position);
    if (!chunk) return Reject{"PNG ends early"};
    const bool is_header = position == kPngSignature.size();
    position += chunk->frame.size();

    if (is_header != (chunk->type == "IHDR"sv)) return Reject{"PNG does not start with its header"};
    const bool is_wanted = is_header || chunk->type == "PLTE"sv || chunk->type == "tRNS"sv ||
                           chunk->type == "IDAT"sv || chunk->type == "IEND"sv;
    if (!is_wanted) continue;
    if (!is_intact(*chunk)) return Reject{fmt::format("PNG is damaged: wrong checksum of {}", chunk->type)};

    const ByteView data(chunk->data);
    if (is_header) {
      picture.layout = {data.u32(0), data.u32(4), data.u8(8), data.u8(9)};
      if (data.size() != 13 || !is_known(picture.layout) || data.u8(10) != 0 || data.u8(11) != 0 ||
          data.u8(12) > 1) {
        return Reject{"PNG has an invalid header"};
      }
    } else if (chunk->type == "PLTE"sv) {
      // Suggested palettes of other colour types do not show.
      if (picture.layout.colour_type != kPalette || picture.palette_entries != 0) continue;
      picture.palette_entries = data.size() / 3;
      if (data.size() % 3 != 0 || data.size() == 0 ||
          picture.palette_entries > (1U << picture.layout.depth)) {
        return Reject{"PNG has an invalid palette"};
      }
    } else if (chunk->type == "tRNS"sv) {
      if (compressed_bytes > 0 || !picture.transparency.empty() || !transparency_fits(picture, *chunk))
        continue;
      picture.transparency = chunk->data;
    } else if (chunk->type == "IDAT"sv) {
      if (picture.layout.colour_type == kPalette && picture.palette_entries == 0) {
        return Reject{"PNG has no palette"};
      }
      compressed_bytes += data.size();
    }
    keep(chunk->frame);
    if (chunk->type == "IEND"sv) break;
  }
  // Deflate cannot shrink more than this: no memory is spent on pixels that cannot be there.
  if (compressed_bytes == 0 || raw_bytes(picture.layout) / kMaxDeflateRatio > compressed_bytes) {
    return Reject{"PNG ends early"};
  }
  return picture;
}

}  // namespace

std::span<const std::byte> png_exif(std::span<const std::byte> bytes) {
  const ByteView file(bytes);
  std::size_t position = kPngSignature.size();
  while (const std::optional<Chunk> chunk = chunk_at(file, position)) {
    if (chunk->type == "eXIf"sv) return chunk->data;
    position += chunk->frame.size();
  }
  return {};
}

std::variant<RgbImage, Reject> decode_png(std::span<const std::byte> file, Alpha alpha) {
  const std::variant<Picture, Reject> reduced = reduce(file);
  if (const Reject* reject = std::get_if<Reject>(&reduced)) return *reject;
  const Picture& picture = std::get<Picture>(reduced);
  const Layout& layout = picture.layout;
  StoredPixels stored{.format_name = "PNG", .transparency = Transparency::kStraight};
  if (layout.colour_type == kGrey && picture.transparency.size() == 2) {
    // OpenCV widens grey to eight bits but leaves its transparent value out.
    const unsigned widening = layout.depth < 8 ? 255U / ((1U << layout.depth) - 1U) : 1U;
    stored.transparent_grey = ByteView(picture.transparency).u16(0) * widening;
  }
  return decode_with_opencv(picture.file, stored, alpha);
}

}  // namespace headstart
