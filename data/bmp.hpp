// data/bmp.hpp: BMP bytes to RGB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "data/decode.hpp"

namespace headstart {

struct BmpHeader {
  std::uint32_t pixel_offset = 0;
  std::int64_t width = 0;
  std::int64_t height = 0;  ///< negative: rows from the top
  unsigned bits = 0;        ///< a pixel
  std::uint32_t compression = 0;
  std::uint32_t alpha_mask = 0;  ///< 0 where the header has none
};

/// Nothing if `bytes` is no BMP.
[[nodiscard]] std::optional<BmpHeader> read_bmp_header(std::span<const std::byte> bytes);

/// Alpha counts where the header declares it, as Pillow has it, and where not every pixel's is 0, as some
/// writers leave it; the fourth byte of a plain 32-bit BMP is padding.
/// @param bytes  has a header
[[nodiscard]] std::variant<RgbImage, Reject> decode_bmp(std::span<const std::byte> bytes, Alpha alpha);

}  // namespace headstart
