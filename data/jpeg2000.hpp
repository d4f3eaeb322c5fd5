// data/jpeg2000.hpp: JPEG 2000, as a JP2 file or a raw codestream, to RGB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "data/decode.hpp"

namespace headstart {

/// What the codestream and a palette before it say.
struct Jpeg2000Header {
  std::int64_t width = 0;  ///< 0 where the header is cut off
  std::int64_t height = 0;
  unsigned components = 0;        ///< of the codestream
  unsigned palette_channels = 0;  ///< 0: no palette
  std::uint64_t tiles = 0;
};

[[nodiscard]] bool is_jpeg2000(std::span<const std::byte> bytes);

/// @param bytes  is_jpeg2000()
[[nodiscard]] Jpeg2000Header read_jpeg2000_header(std::span<const std::byte> bytes);

/// Grey, RGB, sYCC and palettes, with alpha or without, of 1 to 16 bits; components may be subsampled. Other
/// kinds are rejected with their reason, and what ends early is.
/// @param bytes  is_jpeg2000(), and within the caller's limit of pixels
[[nodiscard]] std::variant<DecodedImage, Reject> decode_jpeg2000(std::span<const std::byte> bytes,
                                                                 const DecodeOptions& options);

}  // namespace headstart
