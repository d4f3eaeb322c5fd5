// data/image/jpeg_markers.cpp: see jpeg_markers.hpp. Marker codes follow ITU-T T.81, table B.1.
#include "data/image/jpeg_markers.hpp"

#include <algorithm>
#include <string_view>

#include "data/image/byte_view.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;

constexpr unsigned kJpegStart = 0xD8;
constexpr unsigned kJpegEnd = 0xD9;
constexpr unsigned kJpegScan = 0xDA;
constexpr unsigned kApp1 = 0xE1;

/// Whether a code has no segment: stuffed zero, TEM, restarts, a stray start of image.
bool stands_alone(unsigned code) {
  return code == 0x00 || code == 0x01 || (code >= 0xD0 && code <= 0xD7) || code == kJpegStart;
}

/// SOF0..SOF15. C4, C8 and CC in that range are tables and an extension.
bool is_frame_header(unsigned code) {
  return code >= 0xC0 && code <= 0xCF && code != 0xC4 && code != 0xC8 && code != 0xCC;
}

}  // namespace

JpegMarkers read_jpeg_markers(std::span<const std::byte> bytes) {
  const ByteView view(bytes);
  const std::string_view text = view.text(0, view.size());
  JpegMarkers markers;
  std::size_t position = 2;
  while ((position = text.find('\xFF', position)) != std::string_view::npos) {
    while (view.u8(position) == 0xFF) ++position;
    const unsigned code = view.u8(position++);
    if (code == kJpegEnd || code == kJpegScan) break;
    if (stands_alone(code)) continue;

    // A length below 2 counts as 2, the size of the length itself.
    const std::size_t length = std::max<std::size_t>(view.u16(position), 2);
    if (!view.holds(position, length)) break;
    const ByteView segment(view.slice(position + 2, length - 2));
    if (is_frame_header(code) && markers.width == 0) {
      markers.height = segment.u16(1);
      markers.width = segment.u16(3);
    } else if (code == kApp1 && markers.exif.empty() && segment.has(0, "Exif\0\0"sv)) {
      markers.exif = segment.slice(6, segment.size());
    }
    position += length;
  }
  return markers;
}

}  // namespace headstart
