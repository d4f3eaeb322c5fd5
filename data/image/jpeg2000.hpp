// data/image/jpeg2000.hpp: JPEG 2000, as a JP2 file or a raw codestream, to RGB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "data/image/decode.hpp"

namespace headstart {

/// The values of the codestream, and of a palette before it.
struct Jpeg2000Header {
  std::int64_t width = 0;  ///< 0 if the header is cut off
  std::int64_t height = 0;
  unsigned components = 0;        ///< of the codestream
  unsigned palette_channels = 0;  ///< 0: no palette
  std::uint64_t tiles = 0;
};

[[nodiscard]] bool is_jpeg2000(std::span<const std::byte> bytes);

/// @param bytes  is_jpeg2000()
[[nodiscard]] Jpeg2000Header read_jpeg2000_header(std::span<const std::byte> bytes);

/// Reads grey, RGB, sYCC and palettes, with or without alpha, of 1 to 16 bits; components may be subsampled.
/// Rejects other kinds with their reason, and files that end early.
/// @param bytes  is_jpeg2000(), and within the caller's limit of pixels
[[nodiscard]] std::variant<DecodedImage, Reject> decode_jpeg2000(std::span<const std::byte> bytes,
                                                                 const DecodeOptions& options);

}  // namespace headstart
