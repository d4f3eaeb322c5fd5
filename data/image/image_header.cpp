// data/image/image_header.cpp: recognises formats by their bytes; a file's name has no influence.
#include "data/image/image_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "data/image/byte_view.hpp"
#include "data/image/image_format.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;

constexpr std::int64_t kMaxSide = 1 << 20;

std::variant<ImageHeader, Reject> checked(const ImageFormat& format, const StatedSize& size) {
  if (size.width <= 0 || size.height <= 0) return Reject{fmt::format("{} header gives no size", format.name)};
  if (size.width > kMaxSide || size.height > kMaxSide) {
    return Reject{
        fmt::format("is {} x {} pixels, more than {} on a side", size.width, size.height, kMaxSide)};
  }
  return ImageHeader{&format, static_cast<std::uint32_t>(size.width),
                     static_cast<std::uint32_t>(size.height)};
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
  for (const ImageFormat& format : image_formats()) {
    const std::optional<std::variant<StatedSize, Reject>> stated = format.size(bytes);
    if (!stated) continue;
    if (const Reject* const reject = std::get_if<Reject>(&*stated)) return *reject;
    return checked(format, std::get<StatedSize>(*stated));
  }
  return refusal(ByteView(bytes));
}

}  // namespace headstart
