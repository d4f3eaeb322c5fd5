// data/image/tiff.cpp: libtiff gives the samples of strips and tiles, and this code makes the colours.
// libtiff's own RGBA reader multiplies alpha into the colours, rounds 16 bits and has no white of L*a*b*.
// That reader is used only for YCbCr with its subsampling. Note: libtiff invents ExtraSamples that a file
// lacks, so this code also asks the directory.
#include "data/image/tiff.hpp"

#include <fmt/format.h>
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/image/channels.hpp"
#include "data/image/cie_lab.hpp"
#include "data/image/sample_range.hpp"
#include "data/image/tiff_directory.hpp"
#include "data/image/tiff_file.hpp"

namespace headstart {
namespace {

/// The largest number of channels; an image with more is no picture.
constexpr unsigned kMaxChannels = 16;

struct Page {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  unsigned bits = 1;
  unsigned samples = 1;
  unsigned photometric = PHOTOMETRIC_MINISBLACK;
  unsigned compression = COMPRESSION_NONE;
  unsigned sample_format = SAMPLEFORMAT_UINT;
  bool planes_apart = false;
  bool tiled = false;
  std::uint32_t chunk_width = 0;   ///< of a strip or tile
  std::uint32_t chunk_height = 0;  ///< likewise
  Transparency transparency = Transparency::kOpaque;
  unsigned alpha_channel = 0;  ///< valid if there is transparency
};

/// How many channels make the colour, before any extra ones; 0: this kind is not read.
unsigned colours_of(unsigned photometric) {
  switch (photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_PALETTE:
      return 1;
    case PHOTOMETRIC_RGB:
    case PHOTOMETRIC_YCBCR:
    case PHOTOMETRIC_CIELAB:
    case PHOTOMETRIC_ICCLAB:
      return 3;
    case PHOTOMETRIC_SEPARATED:
      return 4;
    default:
      return 0;
  }
}

void find_transparency(const TiffFile& file, const TiffDirectory& directory, Page& page) {
  const bool mixes = page.photometric <= PHOTOMETRIC_PALETTE;  // grey, RGB and palettes
  const unsigned colours = colours_of(page.photometric);
  if (!mixes || page.samples <= colours) return;
  // One more channel without a description is alpha, as in Pillow.
  if (!directory.has(TiffTag::kExtraSamples)) {
    if (page.samples != colours + 1) return;
    page.transparency = Transparency::kStraight;
    page.alpha_channel = colours;
    return;
  }
  std::uint16_t count = 0;
  const std::uint16_t* kinds = nullptr;
  TIFFGetFieldDefaulted(file.get(), TIFFTAG_EXTRASAMPLES, &count, &kinds);
  for (unsigned i = 0; i < count && colours + i < page.samples; ++i) {
    if (kinds[i] == EXTRASAMPLE_UNSPECIFIED) continue;
    page.transparency =
        kinds[i] == EXTRASAMPLE_ASSOCALPHA ? Transparency::kPremultiplied : Transparency::kStraight;
    page.alpha_channel = colours + i;
    return;
  }
}

Page read_page(const TiffFile& file, const TiffDirectory& directory) {
  Page page;
  page.width = file.number<std::uint32_t>(TIFFTAG_IMAGEWIDTH);
  page.height = file.number<std::uint32_t>(TIFFTAG_IMAGELENGTH);
  page.bits = file.number<std::uint16_t>(TIFFTAG_BITSPERSAMPLE);
  page.samples = file.number<std::uint16_t>(TIFFTAG_SAMPLESPERPIXEL);
  page.compression = file.number<std::uint16_t>(TIFFTAG_COMPRESSION);
  page.sample_format = file.number<std::uint16_t>(TIFFTAG_SAMPLEFORMAT);
  page.planes_apart =
      file.number<std::uint16_t>(TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE && page.samples > 1;
  std::uint16_t photometric = page.samples < 3 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB;
  TIFFGetField(file.get(), TIFFTAG_PHOTOMETRIC, &photometric);
  page.photometric = photometric;
  page.tiled = TIFFIsTiled(file.get()) != 0;
  if (page.tiled) {
    page.chunk_width = file.number<std::uint32_t>(TIFFTAG_TILEWIDTH);
    page.chunk_height = file.number<std::uint32_t>(TIFFTAG_TILELENGTH);
  } else {
    page.chunk_width = page.width;
    page.chunk_height = std::min(file.number<std::uint32_t>(TIFFTAG_ROWSPERSTRIP), page.height);
  }
  find_transparency(file, directory, page);
  return page;
}

/// Why a page is not read; nothing if it is read.
std::optional<Reject> refusal(const Page& page, std::uint64_t max_pixels) {
  if (page.sample_format == SAMPLEFORMAT_IEEEFP)
    return Reject{"TIFF with floating-point pixels is not supported"};
  if (page.sample_format != SAMPLEFORMAT_UINT)
    return Reject{"TIFF with signed or complex pixels is not supported"};
  const unsigned colours = colours_of(page.photometric);
  if (colours == 0)
    return Reject{fmt::format("TIFF with colours of kind {} is not supported", page.photometric)};
  const bool one_extra_at_most = colours == 1;
  if (page.samples < colours || page.samples > (one_extra_at_most ? colours + 1 : kMaxChannels)) {
    return Reject{
        fmt::format("TIFF with {} channels of kind {} is not supported", page.samples, page.photometric)};
  }
  const bool only_8_bits = page.photometric == PHOTOMETRIC_YCBCR || page.photometric == PHOTOMETRIC_CIELAB ||
                           page.photometric == PHOTOMETRIC_ICCLAB;
  const unsigned most_bits = page.photometric == PHOTOMETRIC_PALETTE ? 8 : 16;
  if (page.bits < 1 || page.bits > most_bits || (only_8_bits && page.bits != 8))
    return Reject{fmt::format("TIFF with {} bits of this kind is not supported", page.bits)};
  if (page.chunk_width == 0 || page.chunk_height == 0)
    return Reject{"TIFF header gives no size of its parts"};
  if (page.tiled && std::uint64_t{page.chunk_width} * page.chunk_height > max_pixels)
    return Reject{"TIFF has tiles of more pixels than the limit"};
  return std::nullopt;
}

Reject damaged(const TiffFile& file) {
  if (file.error().starts_with("Read error")) return Reject{"TIFF ends early"};
  return Reject{fmt::format("TIFF cannot be decoded: {}",
                            file.error().empty() ? "it is damaged" : printable(file.error()))};
}

/// How many bytes one compressed byte can become at most; 0: no bound is known.
std::uint64_t largest_ratio(unsigned compression) {
  switch (compression) {
    case COMPRESSION_NONE:
      return 1;
    case COMPRESSION_PACKBITS:
      return 64;
    case COMPRESSION_DEFLATE:
    case COMPRESSION_ADOBE_DEFLATE:
      return 1032;
    case COMPRESSION_LZW:
      return 4096;
    default:
      return 0;
  }
}

/// Writes the samples of one stored row to every `step`-th place from `out`.
/// @param first   index of the first sample in the row
/// @param stride  distance between the samples that are taken
template <typename Sample>
void unpack(const std::byte* row, unsigned bits, std::size_t first, std::size_t stride, std::size_t count,
            Sample* out, std::size_t step) {
  if (bits == 8) {
    for (std::size_t i = 0; i < count; ++i)
      out[i * step] = static_cast<Sample>(std::to_integer<unsigned>(row[first + i * stride]));
    return;
  }
  if (bits == 16) {  // in the machine's byte order, as libtiff gives them
    for (std::size_t i = 0; i < count; ++i) {
      std::uint16_t value = 0;
      std::copy_n(row + 2 * (first + i * stride), 2, reinterpret_cast<std::byte*>(&value));
      out[i * step] = static_cast<Sample>(value);
    }
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t start = (first + i * stride) * bits;
    unsigned value = 0;
    for (std::size_t bit = start; bit < start + bits; ++bit)
      value = value << 1U | (std::to_integer<unsigned>(row[bit / 8]) >> (7U - bit % 8) & 1U);
    out[i * step] = static_cast<Sample>(value);
  }
}

/// Reads the strips or tiles of one page.
class Chunks {
 public:
  Chunks(const TiffFile& file, const Page& page)
      : file_(file),
        page_(page),
        bytes_(static_cast<std::uint64_t>(
            std::max<tmsize_t>(0, page.tiled ? TIFFTileSize(file.get()) : TIFFStripSize(file.get())))),
        row_bytes_(static_cast<std::uint64_t>(std::max<tmsize_t>(
            0, page.tiled ? TIFFTileRowSize(file.get()) : TIFFScanlineSize(file.get())))) {}

  /// Whether a file of this size can hold the page, so that no memory is allocated for pixels that can't be
  /// there.
  [[nodiscard]] bool fit_into(std::uint64_t file_bytes) const {
    if (bytes_ == 0 || row_bytes_ < needed_row_bytes()) return false;
    const std::uint64_t ratio = largest_ratio(page_.compression);
    const std::uint64_t values =
        std::uint64_t{page_.width} * page_.height * (page_.planes_apart ? 1 : page_.samples);
    return ratio == 0 || values * page_.bits / 8 / ratio <= file_bytes;
  }

  /// The samples of `channels` of all pixels, interleaved; nothing if a part can't be read.
  template <typename Sample>
  [[nodiscard]] std::optional<std::vector<Sample>> read(const std::vector<unsigned>& channels) {
    std::vector<std::byte> chunk(bytes_);
    std::vector<Sample> samples;
    for (std::uint32_t y = 0; y < page_.height; y += rows_from(y)) {
      for (std::uint32_t x = 0; x < page_.width; x += columns_from(x)) {
        for (std::size_t i = 0; i < channels.size(); ++i) {
          if ((i == 0 || page_.planes_apart) && !read_chunk(x, y, channels[i], chunk)) return std::nullopt;
          if (samples.empty()) samples.resize(std::size_t{page_.width} * page_.height * channels.size());
          for (std::uint32_t row = 0; row < rows_from(y); ++row) {
            unpack(chunk.data() + row * row_bytes_, page_.bits, page_.planes_apart ? 0 : channels[i],
                   page_.planes_apart ? 1 : page_.samples, columns_from(x),
                   samples.data() + ((std::size_t{y} + row) * page_.width + x) * channels.size() + i,
                   channels.size());
          }
        }
      }
    }
    return samples;
  }

 private:
  [[nodiscard]] std::uint32_t rows_from(std::uint32_t y) const {
    return std::min(page_.chunk_height, page_.height - y);
  }
  [[nodiscard]] std::uint32_t columns_from(std::uint32_t x) const {
    return std::min(page_.chunk_width, page_.width - x);
  }
  [[nodiscard]] std::uint64_t needed_row_bytes() const {
    const std::uint64_t together = page_.planes_apart ? 1 : page_.samples;
    return (std::uint64_t{page_.chunk_width} * together * page_.bits + 7) / 8;
  }
  bool read_chunk(std::uint32_t x, std::uint32_t y, unsigned channel, std::vector<std::byte>& chunk) {
    const auto plane = static_cast<std::uint16_t>(page_.planes_apart ? channel : 0);
    const tmsize_t got = page_.tiled
                             ? TIFFReadEncodedTile(file_.get(), TIFFComputeTile(file_.get(), x, y, 0, plane),
                                                   chunk.data(), static_cast<tmsize_t>(chunk.size()))
                             : TIFFReadEncodedStrip(file_.get(), TIFFComputeStrip(file_.get(), y, plane),
                                                    chunk.data(), static_cast<tmsize_t>(chunk.size()));
    return got >= 0 && static_cast<std::uint64_t>(got) >= rows_from(y) * row_bytes_;
  }

  const TiffFile& file_;
  const Page& page_;
  std::uint64_t bytes_;
  std::uint64_t row_bytes_;
};

/// Scales samples of up to eight bits to bytes: white becomes 255.
std::vector<std::uint8_t> scaled(std::vector<std::uint8_t> samples, unsigned bits) {
  if (bits == 8) return samples;
  const unsigned white = (1U << bits) - 1U;
  for (std::uint8_t& sample : samples)
    sample = static_cast<std::uint8_t>((sample * 255U + white / 2) / white);
  return samples;
}

/// The bytes of `channels`, and a note. @param range  for wide samples; the last channel may be alpha
std::optional<NarrowedSamples> read_bytes(Chunks& chunks, const Page& page,
                                          const std::vector<unsigned>& channels,
                                          const std::optional<SampleRange>& range) {
  if (page.bits <= 8) {
    std::optional<std::vector<std::uint8_t>> samples = chunks.read<std::uint8_t>(channels);
    if (!samples) return std::nullopt;
    return NarrowedSamples{scaled(*std::move(samples), page.bits), {}};
  }
  std::optional<std::vector<std::uint16_t>> samples = chunks.read<std::uint16_t>(channels);
  if (!samples) return std::nullopt;
  return narrow({.values = *std::move(samples),
                 .channels = static_cast<unsigned>(channels.size()),
                 .has_alpha = page.transparency != Transparency::kOpaque},
                high_bytes(page.bits), range);
}

using Decoded = std::variant<DecodedImage, Reject>;

RgbImage empty_image(const Page& page) {
  return {static_cast<int>(page.height), static_cast<int>(page.width),
          std::vector<std::uint8_t>(std::size_t{page.width} * page.height * 3)};
}

Decoded decode_grey_or_rgb(const TiffFile& file, Chunks& chunks, const Page& page,
                           const DecodeOptions& options) {
  std::vector<unsigned> channels{0};
  if (colours_of(page.photometric) == 3) channels = {0, 1, 2};
  if (page.transparency != Transparency::kOpaque) channels.push_back(page.alpha_channel);
  std::optional<NarrowedSamples> read = read_bytes(chunks, page, channels, options.range);
  if (!read) return damaged(file);
  if (page.photometric == PHOTOMETRIC_MINISWHITE) {
    for (std::size_t i = 0; i < read->bytes.size(); i += channels.size())
      read->bytes[i] = static_cast<std::uint8_t>(255U - read->bytes[i]);
  }
  return DecodedImage{rgb_of({.height = static_cast<int>(page.height),
                              .width = static_cast<int>(page.width),
                              .count = static_cast<unsigned>(channels.size()),
                              .transparency = page.transparency,
                              .bytes = std::move(read->bytes)},
                             options.alpha),
                      std::move(read->note)};
}

Decoded decode_palette(const TiffFile& file, Chunks& chunks, const Page& page, Alpha alpha) {
  std::array<const std::uint16_t*, 3> maps{};
  if (TIFFGetField(file.get(), TIFFTAG_COLORMAP, &maps[0], &maps[1], &maps[2]) == 0)
    return Reject{"TIFF has no palette"};
  const std::size_t colours = std::size_t{1} << page.bits;
  // Old writers put bytes in place of 16 bits.
  const bool holds_bytes = std::all_of(maps.begin(), maps.end(), [&](const std::uint16_t* map) {
    return std::all_of(map, map + colours, [](std::uint16_t value) { return value < 256; });
  });
  const bool has_alpha = page.transparency != Transparency::kOpaque;
  std::vector<unsigned> channels{0};
  if (has_alpha) channels.push_back(page.alpha_channel);
  const std::optional<std::vector<std::uint8_t>> samples = chunks.read<std::uint8_t>(channels);
  if (!samples) return damaged(file);
  const unsigned count = has_alpha ? 4 : 3;
  std::vector<std::uint8_t> bytes;
  bytes.reserve(std::size_t{page.width} * page.height * count);
  const unsigned white = (1U << page.bits) - 1U;
  for (std::size_t i = 0; i < samples->size(); i += channels.size()) {
    for (const std::uint16_t* map : maps)
      bytes.push_back(static_cast<std::uint8_t>(map[(*samples)[i]] >> (holds_bytes ? 0U : 8U)));
    if (has_alpha) bytes.push_back(static_cast<std::uint8_t>(((*samples)[i + 1] * 255U + white / 2) / white));
  }
  return DecodedImage{rgb_of({.height = static_cast<int>(page.height),
                              .width = static_cast<int>(page.width),
                              .count = count,
                              .transparency = page.transparency,
                              .bytes = std::move(bytes)},
                             alpha),
                      {}};
}

Decoded decode_cmyk(const TiffFile& file, Chunks& chunks, const Page& page) {
  if (file.number<std::uint16_t>(TIFFTAG_INKSET) != INKSET_CMYK)
    return Reject{"TIFF with other inks than CMYK is not supported"};
  const std::optional<NarrowedSamples> read = read_bytes(chunks, page, {0, 1, 2, 3}, std::nullopt);
  if (!read) return damaged(file);
  RgbImage image = empty_image(page);
  std::uint8_t* out = image.pixels.data();
  for (std::size_t i = 0; i < read->bytes.size(); i += 4) {
    const unsigned light = 255U - read->bytes[i + 3];
    for (std::size_t ink = 0; ink < 3; ++ink)
      *out++ = static_cast<std::uint8_t>(light * (255U - read->bytes[i + ink]) / 255U);
  }
  return DecodedImage{std::move(image), {}};
}

Decoded decode_lab(const TiffFile& file, Chunks& chunks, const Page& page) {
  const std::optional<std::vector<std::uint8_t>> lab = chunks.read<std::uint8_t>({0, 1, 2});
  if (!lab) return damaged(file);
  RgbImage image = empty_image(page);
  std::uint8_t* out = image.pixels.data();
  // Signed in TIFF's own kind; with an offset of 128 in ICC's kind.
  const auto chroma = [&](std::uint8_t byte) {
    return page.photometric == PHOTOMETRIC_ICCLAB ? byte - 128.0
                                                  : static_cast<double>(static_cast<std::int8_t>(byte));
  };
  for (std::size_t i = 0; i < lab->size(); i += 3) {
    const auto rgb = srgb_of_lab((*lab)[i] * 100.0 / 255.0, chroma((*lab)[i + 1]), chroma((*lab)[i + 2]));
    out = std::copy(rgb.begin(), rgb.end(), out);
  }
  return DecodedImage{std::move(image), {}};
}

/// libtiff's reader of whole pictures, in the stored orientation.
class RgbaReader {
 public:
  explicit RgbaReader(TIFF* file) : begun_(TIFFRGBAImageBegin(&image_, file, 1, message_.data()) != 0) {
    image_.req_orientation = image_.orientation;
  }
  RgbaReader(const RgbaReader&) = delete;
  RgbaReader& operator=(const RgbaReader&) = delete;
  ~RgbaReader() {
    if (begun_) TIFFRGBAImageEnd(&image_);
  }

  [[nodiscard]] bool begun() const noexcept { return begun_; }
  [[nodiscard]] std::string message() const { return message_.data(); }
  /// Reads rows from `y`: one word a pixel, with red in its lowest byte.
  bool read(std::uint32_t y, std::uint32_t rows, std::vector<std::uint32_t>& words) {
    image_.row_offset = static_cast<int>(y);
    return TIFFRGBAImageGet(&image_, words.data(), image_.width, rows) != 0;
  }

 private:
  TIFFRGBAImage image_{};
  std::array<char, 1024> message_{};
  bool begun_;
};

Decoded decode_ycbcr(const TiffFile& file, const Page& page) {
  RgbaReader reader(file.get());
  if (!reader.begun()) return Reject{fmt::format("TIFF cannot be decoded: {}", printable(reader.message()))};
  std::vector<std::uint32_t> words(std::size_t{page.width} * page.chunk_height);
  RgbImage image;
  std::size_t written = 0;
  for (std::uint32_t y = 0; y < page.height; y += page.chunk_height) {
    const std::uint32_t rows = std::min(page.chunk_height, page.height - y);
    if (!reader.read(y, rows, words)) return damaged(file);
    if (y == 0) image = empty_image(page);
    for (std::size_t i = 0; i < std::size_t{page.width} * rows; ++i) {
      image.pixels[written++] = static_cast<std::uint8_t>(TIFFGetR(words[i]));
      image.pixels[written++] = static_cast<std::uint8_t>(TIFFGetG(words[i]));
      image.pixels[written++] = static_cast<std::uint8_t>(TIFFGetB(words[i]));
    }
  }
  return DecodedImage{std::move(image), {}};
}

Decoded decode_page(const TiffFile& file, const Page& page, std::uint64_t file_bytes,
                    const DecodeOptions& options) {
  if (page.photometric == PHOTOMETRIC_YCBCR) return decode_ycbcr(file, page);
  Chunks chunks(file, page);
  if (!chunks.fit_into(file_bytes)) return Reject{"TIFF ends early"};
  switch (page.photometric) {
    case PHOTOMETRIC_PALETTE:
      return decode_palette(file, chunks, page, options.alpha);
    case PHOTOMETRIC_SEPARATED:
      return decode_cmyk(file, chunks, page);
    case PHOTOMETRIC_CIELAB:
    case PHOTOMETRIC_ICCLAB:
      return decode_lab(file, chunks, page);
    default:
      return decode_grey_or_rgb(file, chunks, page, options);
  }
}

}  // namespace

std::variant<DecodedImage, Reject> decode_tiff(std::span<const std::byte> bytes,
                                               const DecodeOptions& options) {
  const std::optional<TiffDirectory> directory = TiffDirectory::read(bytes);
  if (!directory) return Reject{"TIFF ends early"};
  constexpr std::uint64_t kMostBytesOfAPixel = 2 * kMaxChannels;
  TiffFile file(bytes, bytes.size() + options.max_pixels * kMostBytesOfAPixel);
  if (file.get() == nullptr) return damaged(file);
  Page page = read_page(file, *directory);
  if (std::optional<Reject> reject = refusal(page, options.max_pixels)) return std::move(*reject);
  if (std::uint64_t{page.width} * page.height > options.max_pixels)
    return Reject{"TIFF is of another size than its first directory says"};
  if (page.photometric == PHOTOMETRIC_YCBCR && page.compression == COMPRESSION_JPEG && !page.planes_apart) {
    TIFFSetField(file.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);  // libjpeg converts
    page.photometric = PHOTOMETRIC_RGB;
  }
  if (directory->number(TiffTag::kPhotometric) == PHOTOMETRIC_PALETTE &&
      page.photometric != PHOTOMETRIC_PALETTE)
    return Reject{"TIFF has no palette"};
  file.forget_messages();  // drops messages about tags that do not matter
  Decoded decoded = decode_page(file, page, bytes.size(), options);
  DecodedImage* const image = std::get_if<DecodedImage>(&decoded);
  if (image == nullptr) return decoded;
  // Fax decoders continue after damaged rows, and libjpeg fills up missing data.
  if (!file.error().empty()) return damaged(file);
  if (file.warning().find("Premature end") != std::string::npos) return Reject{"TIFF ends early"};
  if (image->note.empty()) image->note = printable(file.warning());
  return decoded;
}

}  // namespace headstart
