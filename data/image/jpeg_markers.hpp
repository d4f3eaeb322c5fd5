// data/image/jpeg_markers.hpp: reads the marker segments before a JPEG's first scan, without decoding
// anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace headstart {

struct JpegMarkers {
  std::uint32_t width = 0;          ///< of the first frame header; 0 if there is none
  std::uint32_t height = 0;         ///< likewise
  std::span<const std::byte> exif;  ///< the TIFF block of the first EXIF segment; part of the given bytes
};

/// Reads from the start-of-image marker to the first scan. Skips garbage between segments, as libjpeg does.
[[nodiscard]] JpegMarkers read_jpeg_markers(std::span<const std::byte> bytes);

}  // namespace headstart
