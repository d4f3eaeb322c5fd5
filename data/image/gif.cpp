// data/image/gif.cpp: giflib gives rows of palette indices; this code applies the other rules of GIF89a.
#include "data/image/gif.hpp"

#include <fmt/format.h>
#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "data/image/byte_view.hpp"
#include "data/image/transparency.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;

constexpr unsigned kImage = 0x2C;
constexpr unsigned kExtension = 0x21;
constexpr std::uint64_t kMaxGifPixelsPerByte =
    4096;  // a code of LZW has at least three bits and stands for fewer pixels

/// Size of the palette behind a descriptor with these flags.
std::uint64_t palette_bytes(unsigned flags) {
  return (flags & 0x80U) != 0 ? std::uint64_t{3} << ((flags & 7U) + 1U) : 0;
}

/// The bytes that giflib has not read yet.
struct Unread {
  std::span<const std::byte> bytes;
};

int read_some(GifFileType* file, GifByteType* out, int count) {
  std::span<const std::byte>& bytes = static_cast<Unread*>(file->UserData)->bytes;
  const std::size_t size = std::min(bytes.size(), static_cast<std::size_t>(count));
  if (size > 0) std::memcpy(out, bytes.data(), size);
  bytes = bytes.subspan(size);
  return static_cast<int>(size);
}

struct CloseGif {
  void operator()(GifFileType* file) const noexcept { static_cast<void>(DGifCloseFile(file, nullptr)); }
};
using GifFile = std::unique_ptr<GifFileType, CloseGif>;

/// The Reject for giflib's error number.
Reject gif_failure(int error) {
  switch (error) {
    case D_GIF_ERR_NOT_ENOUGH_MEM:
      throw std::bad_alloc();
    case D_GIF_ERR_READ_FAILED:
      return Reject{"GIF ends early"};
    default: {
      const char* const text = GifErrorString(error);
      return Reject{fmt::format("GIF cannot be decoded: {}", text != nullptr ? text : "it is damaged")};
    }
  }
}

/// Reads on to the first picture. @return its transparent index; -1 if there is none
std::variant<int, Reject> find_picture(GifFileType& file) {
  int transparent = NO_TRANSPARENT_COLOR;
  while (true) {
    GifRecordType type = UNDEFINED_RECORD_TYPE;
    if (DGifGetRecordType(&file, &type) == GIF_ERROR) return gif_failure(file.Error);
    if (type == IMAGE_DESC_RECORD_TYPE) {
      if (DGifGetImageDesc(&file) == GIF_ERROR) return gif_failure(file.Error);
      return transparent;
    }
    if (type != EXTENSION_RECORD_TYPE) return Reject{"GIF has no picture"};
    int kind = 0;
    GifByteType* block = nullptr;
    if (DGifGetExtension(&file, &kind, &block) == GIF_ERROR) return gif_failure(file.Error);
    GraphicsControlBlock control{};
    if (kind == GRAPHICS_EXT_FUNC_CODE && block != nullptr &&
        DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK) {
      transparent = control.TransparentColor;
    }
    while (block != nullptr) {
      if (DGifGetExtensionNext(&file, &block) == GIF_ERROR) return gif_failure(file.Error);
    }
  }
}

/// Rows in the order in which they are stored.
std::vector<std::size_t> stored_rows(std::size_t height, bool interlaced) {
  std::vector<std::size_t> rows;
  rows.reserve(height);
  if (!interlaced) {
    for (std::size_t y = 0; y < height; ++y) rows.push_back(y);
    return rows;
  }
  for (const auto& [first, step] : {std::pair{0U, 8U}, {4U, 8U}, {2U, 4U}, {1U, 2U}}) {
    for (std::size_t y = first; y < height; y += step) rows.push_back(y);
  }
  return rows;
}

/// The colour of each palette index.
class Colours {
 public:
  Colours(const ColorMapObject& map, int transparent, Alpha alpha)
      : count_(static_cast<std::size_t>(map.ColorCount)),
        transparent_(transparent),
        is_white_(alpha == Alpha::kWhite) {
    for (std::size_t i = 0; i < std::min(count_, colours_.size()); ++i)
      colours_[i] = {map.Colors[i].Red, map.Colors[i].Green, map.Colors[i].Blue};
    if (is_white_ && transparent >= 0) colours_[static_cast<std::size_t>(transparent)] = {255, 255, 255};
  }

  [[nodiscard]] bool holds(std::uint8_t index) const noexcept {
    return index < count_ || index == transparent_;
  }
  [[nodiscard]] const std::array<std::uint8_t, 3>& operator[](std::uint8_t index) const noexcept {
    return colours_[index];
  }

 private:
  std::array<std::array<std::uint8_t, 3>, 256> colours_{};
  std::size_t count_;
  int transparent_;
  bool is_white_;
};

}  // namespace

bool is_gif(std::span<const std::byte> bytes) {
  const ByteView view(bytes);
  return view.has(0, "GIF87a"sv) || view.has(0, "GIF89a"sv);
}

std::optional<GifCanvas> read_gif_canvas(std::span<const std::byte> bytes) {
  const ByteView view(bytes, std::endian::little);
  std::uint64_t position = 13 + palette_bytes(view.u8(10));
  while (view.u8(position) == kExtension && view.holds(position, 3)) {
    position += 2;
    while (view.u8(position) != 0) position += 1U + view.u8(position);
    ++position;
  }
  if (view.u8(position) != kImage || !view.holds(position, 10)) return std::nullopt;
  const auto end = [&](std::uint64_t offset) {
    return std::uint32_t{view.u16(position + offset)} + view.u16(position + offset + 4);
  };
  return GifCanvas{std::max<std::uint32_t>(view.u16(6), end(1)),
                   std::max<std::uint32_t>(view.u16(8), end(3))};
}

std::variant<RgbImage, Reject> decode_gif(std::span<const std::byte> bytes, const ImageHeader& header,
                                          Alpha alpha) {
  Unread unread{bytes};
  int error = 0;
  const GifFile file(DGifOpen(&unread, read_some, &error));
  if (file == nullptr) return gif_failure(error);
  const std::variant<int, Reject> found = find_picture(*file);
  if (const Reject* const reject = std::get_if<Reject>(&found)) return *reject;
  const int transparent = std::get<int>(found);
  const GifImageDesc& picture = file->Image;
  const ColorMapObject* const map = picture.ColorMap != nullptr ? picture.ColorMap : file->SColorMap;
  if (map == nullptr) return Reject{"GIF has no palette"};
  const auto left = static_cast<std::size_t>(picture.Left);
  const auto top = static_cast<std::size_t>(picture.Top);
  const auto width = static_cast<std::size_t>(picture.Width);
  const auto height = static_cast<std::size_t>(picture.Height);
  if (width == 0 || height == 0) return Reject{"GIF has an empty picture"};
  if (left + width > header.width || top + height > header.height)
    return Reject{"GIF has a picture that leaves its canvas"};
  if (width * height / kMaxGifPixelsPerByte > bytes.size()) return Reject{"GIF ends early"};

  RgbImage image{static_cast<int>(header.height), static_cast<int>(header.width), {}};
  image.pixels.resize(static_cast<std::size_t>(header.pixels()) * 3);
  const Colours colours(*map, transparent, alpha);
  const auto& background = colours[static_cast<std::uint8_t>(std::max(transparent, 0))];
  for (auto pixel = image.pixels.begin(); pixel != image.pixels.end();)
    pixel = std::copy(background.begin(), background.end(), pixel);

  std::vector<GifPixelType> row(width);
  for (const std::size_t y : stored_rows(height, picture.Interlace)) {
    if (DGifGetLine(file.get(), row.data(), static_cast<int>(width)) == GIF_ERROR)
      return gif_failure(file->Error);
    std::uint8_t* out = image.pixels.data() + ((top + y) * header.width + left) * 3;
    for (const GifPixelType index : row) {
      if (!colours.holds(index)) return Reject{"GIF has a colour that its palette does not have"};
      out = std::copy_n(colours[index].begin(), 3, out);
    }
  }
  return image;
}

}  // namespace headstart
