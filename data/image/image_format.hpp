// data/image/image_format.hpp: the formats that headstart reads, as a table. A new format is a row of the
// table in image_format.cpp, and the functions that the row names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "data/image/decode.hpp"
#include "data/image/image_header.hpp"

namespace headstart {

/// The size that a header states. It may be zero, or longer on a side than any decoder takes.
struct StatedSize {
  std::int64_t width = 0;
  std::int64_t height = 0;
};

/// How files of a format are recognised and decoded.
struct ImageFormat {
  std::string_view name;  ///< "JPEG"
  /// The stated size, or why the file can't be read; nothing if the bytes begin like another format.
  std::optional<std::variant<StatedSize, Reject>> (*size)(std::span<const std::byte> bytes);
  /// The image in its stored orientation, within the caller's limit of pixels.
  /// @param divisor  1, 2, 4, ... largest_divisor: divides both sides, rounded up
  std::variant<DecodedImage, Reject> (*decode)(std::span<const std::byte> bytes, const ImageHeader& header,
                                               const DecodeOptions& options, int divisor);
  int largest_divisor = 1;
};

/// In the order in which they are tried.
[[nodiscard]] std::span<const ImageFormat> image_formats() noexcept;

}  // namespace headstart
