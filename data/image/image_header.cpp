// data/image/image_header.cpp: recognises formats by their bytes; a file's name has no influence.
#include "data/image/image_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "data/image/bmp.hpp"
#include "data/image/byte_view.hpp"
#include "data/image/gif.hpp"
#include "data/image/jpeg2000.hpp"
#include "data/image/jpeg_markers.hpp"
#include "data/image/png.hpp"
#include "data/image/pnm.hpp"
#include "data/image/tiff_directory.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;

/// The size that a header states. checked() refuses zero, and sides that are longer than any decoder takes.
struct Size {
  std::int64_t width = 0;
  std::int64_t height = 0;
};

constexpr std::int64_t kMaxSide = 1 << 20;

std::variant<ImageHeader, Reject> checked(ImageFormat format, std::string_view name, Size size) {
  if (size.width <= 0 || size.height <= 0) return Reject{fmt::format("{} header gives no size", name)};
  if (size.width > kMaxSide || size.height > kMaxSide) {
    return Reject{
        fmt::format("is {} x {} pixels, more than {} on a side", size.width, size.height, kMaxSide)};
  }
  return ImageHeader{format, static_cast<std::uint32_t>(size.width), static_cast<std::uint32_t>(size.height)};
}

Size jpeg_size(std::span<const std::byte> bytes) {
  const JpegMarkers markers = read_jpeg_markers(bytes);
  return {markers.width, markers.height};
}

Size webp_size(const ByteView& file) {
  const ByteView view(file.bytes(), std::endian::little);
  if (view.has(12, "VP8 "sv) && view.u24(23) == 0x2A019D)
    return {view.u16(26) & 0x3FFF, view.u16(28) & 0x3FFF};
  if (view.has(12, "VP8L"sv) && view.u8(20) == 0x2F && view.holds(21, 4)) {
    return {(view.u32(21) & 0x3FFF) + 1, (view.u32(21) >> 14U & 0x3FFF) + 1};
  }
  if (view.has(12, "VP8X"sv) && view.holds(20, 10)) {
    return {std::int64_t{view.u24(24)} + 1, std::int64_t{view.u24(27)} + 1};
  }
  return {};
}

/// Apple's PNGs for iOS have a chunk before the header, and pixels that no PNG library reads.
std::variant<ImageHeader, Reject> png_header(const ByteView& file) {
  if (file.has(12, "CgBI"sv))
    return Reject{
        "is a PNG of iOS (CgBI), which is not supported: pngcrush -revert-iphone-optimizations converts it"};
  return checked(ImageFormat::kPng, "PNG", {file.u32(16), file.u32(20)});
}

std::variant<ImageHeader, Reject> gif_header(std::span<const std::byte> bytes) {
  const std::optional<GifCanvas> canvas = read_gif_canvas(bytes);
  if (!canvas) return Reject{"GIF has no picture"};
  return checked(ImageFormat::kGif, "GIF", {canvas->width, canvas->height});
}

std::variant<ImageHeader, Reject> tiff_header(std::span<const std::byte> bytes) {
  const std::optional<TiffDirectory> page = TiffDirectory::read(bytes);
  if (!page) return Reject{"TIFF ends early"};
  return checked(
      ImageFormat::kTiff, "TIFF",
      {page->number(TiffTag::kImageWidth).value_or(0), page->number(TiffTag::kImageLength).value_or(0)});
}

/// "AVIF", "HEIC" and similar formats are MPEG-4 files with a brand.
std::optional<Reject> brand_of_mpeg4(const ByteView& file) {
  if (!file.has(4, "ftyp"sv)) return std::nullopt;
  const std::string_view brand = file.text(8, 4);
  for (const std::string_view known : {"avif"sv, "avis"sv}) {
    if (brand == known) return Reject{"AVIF is not supported"};
  }
  for (const std::string_view known :
       {"heic"sv, "heix"sv, "hevc"sv, "heim"sv, "heis"sv, "mif1"sv, "msf1"sv}) {
    if (brand == known) return Reject{"HEIC is not supported"};
  }
  return Reject{"is a video, not an image"};
}

/// The start of the text without byte order mark and white space, in lower case.
std::string start_of_text(const ByteView& file) {
  std::string text(file.text(0, 256));
  if (text.starts_with("\xEF\xBB\xBF"sv)) text.erase(0, 3);
  text.erase(0, text.find_first_not_of(" \t\r\n"));
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

/// Why a file of an unknown format is refused. The reason uses the common name of the format, if there is
/// one.
Reject refusal(const ByteView& file) {
  struct Magic {
    std::string_view bytes;
    std::string_view reason;
  };
  static constexpr Magic kKnown[] = {
      {"%PDF"sv, "PDF is not supported"},
      {"8BPS"sv, "Photoshop is not supported"},
      {"\0\0\1\0"sv, "icon files are not supported"},
      {"\x76\x2F\x31\x01"sv, "OpenEXR is not supported"},
      {"#?RADIANCE"sv, "Radiance HDR is not supported"},
      {"\xFF\x0A"sv, "JPEG XL is not supported"},
      {"\0\0\0\x0CJXL \r\n\x87\n"sv, "JPEG XL is not supported"},
      {"PF\n"sv, "floating-point PNM is not supported"},
      {"Pf\n"sv, "floating-point PNM is not supported"},
      {"P7\n"sv, "PAM is not supported"},
  };
  for (const Magic& magic : kKnown) {
    if (file.has(0, magic.bytes)) return Reject{std::string(magic.reason)};
  }
  if (const std::optional<Reject> brand = brand_of_mpeg4(file)) return *brand;
  const std::string text = start_of_text(file);
  if (text.starts_with("<svg") || (text.starts_with("<?xml") && text.find("<svg") != std::string::npos)) {
    return Reject{"SVG is not supported"};
  }
  if (text.starts_with("<!doctype html") || text.starts_with("<html"))
    return Reject{"is a web page, not an image"};
  if (text.starts_with("version https://git-lfs.github.com/spec/"))
    return Reject{"is a Git LFS pointer, not an image: git lfs pull fetches the image"};
  return Reject{"is not an image"};
}

}  // namespace

std::variant<ImageHeader, Reject> read_image_header(std::span<const std::byte> bytes) {
  const ByteView file(bytes);
  if (file.has(0, "\xFF\xD8\xFF"sv)) return checked(ImageFormat::kJpeg, "JPEG", jpeg_size(bytes));
  if (file.has(0, kPngSignature)) return png_header(file);
  if (is_gif(bytes)) return gif_header(bytes);
  if (file.has(0, "RIFF"sv) && file.has(8, "WEBP"sv))
    return checked(ImageFormat::kWebp, "WebP", webp_size(file));
  for (const std::string_view magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv}) {
    if (file.has(0, magic)) return tiff_header(bytes);
  }
  if (const std::optional<BmpHeader> bmp = read_bmp_header(bytes)) {
    return checked(ImageFormat::kBmp, "BMP", {bmp->width, std::abs(bmp->height)});
  }
  if (const std::optional<PnmHeader> pnm = read_pnm_header(bytes)) {
    return checked(ImageFormat::kPnm, "PNM", {pnm->width, pnm->height});
  }
  if (is_jpeg2000(bytes)) {
    const Jpeg2000Header header = read_jpeg2000_header(bytes);
    return checked(ImageFormat::kJpeg2000, "JPEG 2000", {header.width, header.height});
  }
  return refusal(file);
}

}  // namespace headstart
