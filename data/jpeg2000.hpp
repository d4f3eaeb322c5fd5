// data/jpeg2000.hpp: JPEG 2000, as a JP2 file or a raw codestream, to RGB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "data/decode.hpp"

namespace headstart {

struct Jpeg2000Header {
  std::int64_t width = 0;  ///< 0 where the header is cut off
  std::int64_t height = 0;
  unsigned components = 0;
  unsigned bits = 0;        ///< a sample of the first component
  bool is_uniform = false;  ///< all components unsigned, of the same bits, at full resolution
  bool has_palette = false;
};

[[nodiscard]] bool is_jpeg2000(std::span<const std::byte> bytes);

/// @param bytes  is_jpeg2000()
[[nodiscard]] Jpeg2000Header read_jpeg2000_header(std::span<const std::byte> bytes);

/// Grey, RGB and RGBA of 8 to 16 bits; other kinds are rejected with their reason.
[[nodiscard]] std::variant<RgbImage, Reject> decode_jpeg2000(std::span<const std::byte> bytes, Alpha alpha);

}  // namespace headstart
