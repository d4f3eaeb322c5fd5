// data/image/bmp.hpp: BMP bytes to RGB. headstart has its own reader, because every library gets some BMP
// headers wrong.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "data/image/decode.hpp"

namespace headstart {

/// The fields of all BMP headers; 0 for a field that a short header does not have.
struct BmpHeader {
  std::uint32_t bytes = 0;  ///< 12: OS/2 1.x; 16 to 64: OS/2 2.x; 40 to 124: Windows
  std::uint32_t pixel_offset = 0;
  std::int64_t width = 0;
  std::int64_t height = 0;  ///< negative: rows from the top
  unsigned bits = 0;        ///< a pixel
  std::uint32_t compression = 0;
  std::uint32_t colours = 0;             ///< of the palette; 0: as many as the bits can name
  std::array<std::uint32_t, 4> masks{};  ///< of red, green, blue and alpha, if the compression uses masks
};

/// Nothing if `bytes` is no BMP.
[[nodiscard]] std::optional<BmpHeader> read_bmp_header(std::span<const std::byte> bytes);

/// Reads 1, 2, 4 and 8 bits with a palette, also run-length coded, and 16, 24 and 32 bits with any masks.
/// Other kinds are rejected with their reason. Channels scale to 0..255, rounded to nearest. Alpha counts if
/// a mask declares it and at least one pixel's alpha is not 0, because some writers leave all alpha at 0. The
/// fourth byte of a plain 32-bit BMP is padding. Pillow treats alpha and padding in the same way.
/// @param bytes  has a header, whose image is within the caller's limit of pixels
[[nodiscard]] std::variant<RgbImage, Reject> decode_bmp(std::span<const std::byte> bytes, Alpha alpha);

}  // namespace headstart
