// data/image/png.cpp: gives libpng only the chunks that make the picture, after verifying their checksums.
// libpng decompresses text chunks of any size, so it must not see them. Note: libpng's own error handler
// writes to stderr, so this code has its own. That handler jumps, so no object with a destructor may live
// between the two ends of a jump.
#include "data/image/png.hpp"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <bit>
#include <csetjmp>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "data/image/byte_view.hpp"
#include "data/image/channels.hpp"
#include "data/image/sample_range.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kFrameBytes = 12;  // length, type and checksum around a chunk's data
constexpr std::size_t kMaxDeflateRatio = 1032;

/// CRC-32 of ISO 3309, as in PNG: one table lookup a byte.
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

/// The whole chunk at `position`; nothing if the bytes end inside it.
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

/// The content of the image header chunk.
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

/// A PNG reduced to the chunks that make the picture.
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

std::variant<std::vector<std::byte>, Reject> reduce(std::span<const std::byte> bytes) {
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
      // Suggested palettes of other colour types are not visible.
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
  // Deflate can't shrink more than this. So no memory is allocated for pixels that can't be there.
  if (compressed_bytes == 0 || raw_bytes(picture.layout) / kMaxDeflateRatio > compressed_bytes) {
    return Reject{"PNG ends early"};
  }
  return std::move(picture.file);
}

constexpr unsigned kMaxPngSide = 1U << 20U;  // the limit of image_header.cpp; libpng's own limit is a million

/// The file, for libpng's callbacks.
struct PngSource {
  std::span<const std::byte> bytes;
  std::array<char, 80> error{};  ///< the error, cut off if it is long
};

void read_bytes(png_structp png, png_bytep out, std::size_t count) {
  auto& source = *static_cast<PngSource*>(png_get_io_ptr(png));
  if (count > source.bytes.size()) png_error(png, "ends early");
  std::memcpy(out, source.bytes.data(), count);
  source.bytes = source.bytes.subspan(count);
}

[[noreturn]] void fail_png(png_structp png, png_const_charp message) {
  std::array<char, 80>& error = static_cast<PngSource*>(png_get_error_ptr(png))->error;
  std::strncpy(error.data(), message, error.size() - 1);
  png_longjmp(png, 1);
}

/// libpng's warnings concern faults that it repairs.
void ignore_png_warning(png_structp, png_const_charp) {}

/// Owns libpng's state.
class PngReader {
 public:
  explicit PngReader(PngSource& source)
      : png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, fail_png, ignore_png_warning)),
        info_(png_ == nullptr ? nullptr : png_create_info_struct(png_)) {
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw std::bad_alloc();
    }
    png_set_read_fn(png_, &source, read_bytes);
    png_set_user_limits(png_, kMaxPngSide, kMaxPngSide);
  }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  /// Reads everything before the pixels. Requests grey or RGB of 8 or 16 bits, with alpha if there is
  /// transparency and alpha is not dropped. Returns whether that succeeded.
  bool start(Alpha alpha) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_info(png_, info_);
    png_set_expand(png_);
    if constexpr (std::endian::native == std::endian::little) png_set_swap(png_);
    if (alpha == Alpha::kDrop) png_set_strip_alpha(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  /// Reads all rows into `samples` [height, width, channels()], of one or two bytes. Returns whether that
  /// succeeded.
  bool read_rows(void* samples) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    for (int pass = 0; pass < passes_; ++pass) {
      for (std::size_t y = 0; y < height(); ++y)
        png_read_row(png_, static_cast<png_bytep>(samples) + y * row_bytes(), nullptr);
    }
    return true;
  }

  [[nodiscard]] std::size_t height() const { return png_get_image_height(png_, info_); }
  [[nodiscard]] std::size_t width() const { return png_get_image_width(png_, info_); }
  [[nodiscard]] std::size_t channels() const { return png_get_channels(png_, info_); }
  [[nodiscard]] std::size_t row_bytes() const { return png_get_rowbytes(png_, info_); }
  [[nodiscard]] bool is_wide() const { return png_get_bit_depth(png_, info_) == 16; }

 private:
  png_structp png_;
  png_infop info_;
  int passes_ = 1;
};

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

std::variant<DecodedImage, Reject> decode_png(std::span<const std::byte> file, const DecodeOptions& options) {
  const std::variant<std::vector<std::byte>, Reject> reduced = reduce(file);
  if (const Reject* reject = std::get_if<Reject>(&reduced)) return *reject;
  PngSource source{.bytes = std::get<std::vector<std::byte>>(reduced)};
  PngReader reader(source);
  const auto damaged = [&] {
    return Reject{fmt::format("PNG cannot be decoded: {}", printable(source.error.data()))};
  };
  if (!reader.start(options.alpha)) return damaged();
  const auto channels = static_cast<unsigned>(reader.channels());
  NarrowedSamples narrowed;
  if (reader.is_wide()) {
    WideSamples samples{.values = std::vector<std::uint16_t>(reader.height() * reader.row_bytes() / 2),
                        .channels = channels,
                        .has_alpha = channels % 2 == 0};
    if (!reader.read_rows(samples.values.data())) return damaged();
    narrowed = narrow(samples, high_bytes(16), options.range);
  } else {
    narrowed.bytes.resize(reader.height() * reader.row_bytes());
    if (!reader.read_rows(narrowed.bytes.data())) return damaged();
  }
  return DecodedImage{rgb_of({.height = static_cast<int>(reader.height()),
                              .width = static_cast<int>(reader.width()),
                              .count = channels,
                              .transparency = Transparency::kStraight,
                              .bytes = std::move(narrowed.bytes)},
                             options.alpha),
                      std::move(narrowed.note)};
}

std::vector<std::byte> encode_png(const RgbImage& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = PNG_FORMAT_RGB;
  std::vector<std::byte> bytes(PNG_IMAGE_PNG_SIZE_MAX(header));
  png_alloc_size_t size = bytes.size();
  if (png_image_write_to_memory(&header, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr) == 0)
    throw std::runtime_error(header.message);
  bytes.resize(size);
  return bytes;
}

}  // namespace headstart
