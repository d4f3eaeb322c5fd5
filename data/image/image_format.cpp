// data/image/image_format.cpp: formats are recognised by their bytes; a file's name has no influence.
#include "data/image/image_format.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <utility>

#include "data/image/bmp.hpp"
#include "data/image/byte_view.hpp"
#include "data/image/gif.hpp"
#include "data/image/jpeg.hpp"
#include "data/image/jpeg2000.hpp"
#include "data/image/jpeg_markers.hpp"
#include "data/image/png.hpp"
#include "data/image/pnm.hpp"
#include "data/image/tiff.hpp"
#include "data/image/tiff_directory.hpp"
#include "data/image/webp.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;

using Bytes = std::span<const std::byte>;
using Stated = std::optional<std::variant<StatedSize, Reject>>;
using Decoded = std::variant<DecodedImage, Reject>;

Stated jpeg_size(Bytes bytes) {
  if (!ByteView(bytes).has(0, "\xFF\xD8\xFF"sv)) return std::nullopt;
  const JpegMarkers markers = read_jpeg_markers(bytes);
  return StatedSize{markers.width, markers.height};
}

/// Apple's PNGs for iOS have a chunk before the header, and pixels that no PNG library reads.
Stated png_size(Bytes bytes) {
  const ByteView file(bytes);
  if (!file.has(0, kPngSignature)) return std::nullopt;
  if (file.has(12, "CgBI"sv))
    return Reject{
        "is a PNG of iOS (CgBI), which is not supported: pngcrush -revert-iphone-optimizations converts it"};
  return StatedSize{file.u32(16), file.u32(20)};
}

Stated gif_size(Bytes bytes) {
  if (!is_gif(bytes)) return std::nullopt;
  const std::optional<GifCanvas> canvas = read_gif_canvas(bytes);
  if (!canvas) return Reject{"GIF has no picture"};
  return StatedSize{canvas->width, canvas->height};
}

Stated webp_size(Bytes bytes) {
  const ByteView view(bytes, std::endian::little);
  if (!view.has(0, "RIFF"sv) || !view.has(8, "WEBP"sv)) return std::nullopt;
  if (view.has(12, "VP8 "sv) && view.u24(23) == 0x2A019D)
    return StatedSize{view.u16(26) & 0x3FFF, view.u16(28) & 0x3FFF};
  if (view.has(12, "VP8L"sv) && view.u8(20) == 0x2F && view.holds(21, 4))
    return StatedSize{(view.u32(21) & 0x3FFF) + 1, (view.u32(21) >> 14U & 0x3FFF) + 1};
  if (view.has(12, "VP8X"sv) && view.holds(20, 10))
    return StatedSize{std::int64_t{view.u24(24)} + 1, std::int64_t{view.u24(27)} + 1};
  return StatedSize{};
}

Stated tiff_size(Bytes bytes) {
  constexpr std::array kStarts{"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv};
  const ByteView file(bytes);
  if (std::none_of(kStarts.begin(), kStarts.end(), [&](auto start) { return file.has(0, start); }))
    return std::nullopt;
  const std::optional<TiffDirectory> page = TiffDirectory::read(bytes);
  if (!page) return Reject{"TIFF ends early"};
  return StatedSize{page->number(TiffTag::kImageWidth).value_or(0),
                    page->number(TiffTag::kImageLength).value_or(0)};
}

Stated bmp_size(Bytes bytes) {
  const std::optional<BmpHeader> header = read_bmp_header(bytes);
  if (!header) return std::nullopt;
  return StatedSize{header->width, std::abs(header->height)};
}

Stated pnm_size(Bytes bytes) {
  const std::optional<PnmHeader> header = read_pnm_header(bytes);
  if (!header) return std::nullopt;
  return StatedSize{header->width, header->height};
}

Stated jpeg2000_size(Bytes bytes) {
  if (!is_jpeg2000(bytes)) return std::nullopt;
  const Jpeg2000Header header = read_jpeg2000_header(bytes);
  return StatedSize{header.width, header.height};
}

Decoded without_note(std::variant<RgbImage, Reject> decoded) {
  if (Reject* const reject = std::get_if<Reject>(&decoded)) return std::move(*reject);
  return DecodedImage{std::get<RgbImage>(std::move(decoded)), {}};
}

constexpr std::array kFormats{
    ImageFormat{"JPEG", jpeg_size,
                [](Bytes bytes, const ImageHeader& header, const DecodeOptions&, int divisor) {
                  return decode_jpeg(bytes, header, divisor);
                },
                8},
    ImageFormat{"PNG", png_size,
                [](Bytes bytes, const ImageHeader&, const DecodeOptions& options, int) {
                  return decode_png(bytes, options);
                }},
    ImageFormat{"GIF", gif_size,
                [](Bytes bytes, const ImageHeader& header, const DecodeOptions& options, int) {
                  return without_note(decode_gif(bytes, header, options.alpha));
                }},
    ImageFormat{"WebP", webp_size,
                [](Bytes bytes, const ImageHeader& header, const DecodeOptions& options, int) {
                  return without_note(decode_webp(bytes, header, options.alpha));
                }},
    ImageFormat{"TIFF", tiff_size,
                [](Bytes bytes, const ImageHeader&, const DecodeOptions& options, int) {
                  return decode_tiff(bytes, options);
                }},
    ImageFormat{"BMP", bmp_size,
                [](Bytes bytes, const ImageHeader&, const DecodeOptions& options, int) {
                  return without_note(decode_bmp(bytes, options.alpha));
                }},
    ImageFormat{"PNM", pnm_size,
                [](Bytes bytes, const ImageHeader&, const DecodeOptions& options, int) {
                  return decode_pnm(bytes, options.range);
                }},
    ImageFormat{"JPEG 2000", jpeg2000_size,
                [](Bytes bytes, const ImageHeader&, const DecodeOptions& options, int) {
                  return decode_jpeg2000(bytes, options);
                }},
};

}  // namespace

std::span<const ImageFormat> image_formats() noexcept { return kFormats; }

}  // namespace headstart
