// data/image/image_header.hpp: the format of a file and the stated size of its image. Only the header is
// read, before any decoder sees the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "data/error.hpp"

namespace headstart {

struct ImageFormat;  // data/image/image_format.hpp

struct ImageHeader {
  const ImageFormat* format = nullptr;
  std::uint32_t width = 0;   ///< as stored, before EXIF orientation; 1 or more
  std::uint32_t height = 0;  ///< likewise

  [[nodiscard]] std::uint64_t pixels() const noexcept { return std::uint64_t{width} * height; }
  bool operator==(const ImageHeader&) const = default;
};

/// Format and dimensions, or why there are none. The file is no image, is of a known but unsupported format
/// (the reason names it), or has a header that ends early or contradicts itself.
[[nodiscard]] std::variant<ImageHeader, Reject> read_image_header(std::span<const std::byte> bytes);

}  // namespace headstart
