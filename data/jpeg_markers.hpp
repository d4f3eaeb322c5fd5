// data/jpeg_markers.hpp: the marker segments of a JPEG stream, walked without decoding anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace headstart {

struct JpegMarkers {
  std::uint32_t width = 0;          ///< of the first frame header; 0 if there is none
  std::uint32_t height = 0;         ///< likewise
  bool arithmetic = false;          ///< arithmetic rather than Huffman coding
  bool adobe = false;               ///< an Adobe segment: four-channel images are stored inverted
  bool ended = false;               ///< an end-of-image marker follows a scan
  std::span<const std::byte> exif;  ///< the TIFF block of the first EXIF segment; part of the walked bytes
};

/// Walks from the start-of-image marker to the end-of-image marker, or to where the bytes end.
[[nodiscard]] JpegMarkers read_jpeg_markers(std::span<const std::byte> bytes);

}  // namespace headstart
