// data/jpeg_markers.cpp: marker codes are those of ITU-T T.81, table B.1.
#include "data/jpeg_markers.hpp"

#include <string_view>

#include "data/byte_view.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;

constexpr unsigned kStartOfImage = 0xD8;
constexpr unsigned kEndOfImage = 0xD9;
constexpr unsigned kStartOfScan = 0xDA;
constexpr unsigned kApp1 = 0xE1;
constexpr unsigned kApp14 = 0xEE;

/// Codes without a segment: stuffed zero, TEM, restarts, a stray start of image.
bool stands_alone(unsigned code) {
  return code == 0x00 || code == 0x01 || (code >= 0xD0 && code <= 0xD7) || code == kStartOfImage;
}

/// SOF0..SOF15; C4, C8 and CC in that range are tables and an extension.
bool is_frame_header(unsigned code) {
  return code >= 0xC0 && code <= 0xCF && code != 0xC4 && code != 0xC8 && code != 0xCC;
}

}  // namespace

JpegMarkers read_jpeg_markers(std::span<const std::byte> bytes) {
  const ByteView view(bytes);
  const std::string_view text = view.text(0, view.size());
  JpegMarkers markers;
  bool in_scans = false;
  std::size_t position = 2;
  // Entropy-coded data needs no case of its own: an FF in it is followed by a stuffed zero or a restart code.
  while ((position = text.find('\xFF', position)) != std::string_view::npos) {
    while (view.u8(position) == 0xFF) ++position;
    const unsigned code = view.u8(position++);
    if (code == kEndOfImage) {
      markers.ended = in_scans;
      return markers;
    }
    if (stands_alone(code)) continue;

    const std::size_t length = view.u16(position);
    if (length < 2 || !view.holds(position, length)) return markers;
    const ByteView segment(view.slice(position + 2, length - 2));
    if (is_frame_header(code) && markers.width == 0) {
      markers.height = segment.u16(1);
      markers.width = segment.u16(3);
      markers.arithmetic = code > 0xC8;
    } else if (code == kApp1 && markers.exif.empty() && segment.has(0, "Exif\0\0"sv)) {
      markers.exif = segment.slice(6, segment.size());
    } else if (code == kApp14 && segment.size() >= 12 && segment.has(0, "Adobe"sv)) {
      markers.adobe = true;
    }
    in_scans = in_scans || code == kStartOfScan;
    position += length;
  }
  return markers;
}

}  // namespace headstart
