// data/image/exif_orientation.cpp: headstart's own small reader, because not every decoder applies the
// orientation.
#include "data/image/exif_orientation.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "data/image/byte_view.hpp"
#include "data/image/jpeg_markers.hpp"
#include "data/image/png.hpp"
#include "data/image/tiff_directory.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kExifPrefix = "Exif\0\0"sv;

std::span<const std::byte> webp_exif(std::span<const std::byte> file) {
  const ByteView view(file, std::endian::little);
  std::uint64_t position = 12;
  while (view.holds(position, 8)) {
    const std::uint64_t length = view.u32(position + 4);
    if (view.has(position, "EXIF"sv)) return view.slice(position + 8, length);
    position += 8 + length + length % 2;
  }
  return {};
}

/// The TIFF block that holds the orientation; empty if the file has none.
std::span<const std::byte> tiff_block(std::span<const std::byte> file) {
  const ByteView view(file);
  std::span<const std::byte> block;
  if (view.has(0, "\xFF\xD8"sv)) {
    block = read_jpeg_markers(file).exif;
  } else if (view.has(0, kPngSignature)) {
    block = png_exif(file);
  } else if (view.has(0, "RIFF"sv) && view.has(8, "WEBP"sv)) {
    block = webp_exif(file);
  } else {
    block = file;
  }
  // Some writers keep JPEG's prefix in PNG and WebP, too.
  return ByteView(block).has(0, kExifPrefix) ? block.subspan(kExifPrefix.size()) : block;
}

/// The source of the upright image's pixels: the first pixel, and the step per column and per row, in stored
/// pixels.
struct Path {
  std::ptrdiff_t start = 0;
  std::ptrdiff_t column_step = 0;
  std::ptrdiff_t row_step = 0;
};

Path path_of(int orientation, std::ptrdiff_t height, std::ptrdiff_t width) {
  const std::ptrdiff_t right = width - 1;
  const std::ptrdiff_t bottom = (height - 1) * width;
  switch (orientation) {
    case 2:  // mirrored
      return {right, -1, width};
    case 3:  // upside down
      return {bottom + right, -1, -width};
    case 4:  // mirrored upside down
      return {bottom, 1, -width};
    case 5:  // mirrored along the main diagonal
      return {0, width, 1};
    case 6:  // to be turned clockwise
      return {bottom, -width, 1};
    case 7:  // mirrored along the other diagonal
      return {bottom + right, -width, -1};
    default:  // 8, to be turned counter-clockwise
      return {right, width, -1};
  }
}

}  // namespace

int exif_orientation(std::span<const std::byte> file) {
  const auto directory = TiffDirectory::read(tiff_block(file));
  if (!directory) return 1;
  const std::uint32_t value = directory->number(TiffTag::kOrientation).value_or(1);
  return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
}

RgbImage upright(RgbImage image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  RgbImage result{image.height, image.width, std::vector<std::uint8_t>(image.pixels.size())};
  if (orientation >= 5) std::swap(result.height, result.width);
  const Path path = path_of(orientation, image.height, image.width);
  std::uint8_t* out = result.pixels.data();
  for (std::ptrdiff_t y = 0; y < result.height; ++y) {
    for (std::ptrdiff_t x = 0; x < result.width; ++x) {
      const std::ptrdiff_t from = path.start + x * path.column_step + y * path.row_step;
      out = std::copy_n(image.pixels.data() + 3 * from, 3, out);
    }
  }
  return result;
}

}  // namespace headstart
