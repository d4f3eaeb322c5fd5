// data/image_header.hpp: what a file is and how large its image claims to be, from its first bytes, before
// any decoder sees it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "data/error.hpp"

namespace headstart {

enum class ImageFormat { kJpeg, kPng, kWebp, kGif, kTiff, kBmp, kPnm, kJpeg2000 };

struct ImageHeader {
  ImageFormat format = ImageFormat::kJpeg;
  std::uint32_t width = 0;   ///< as stored, before EXIF orientation; 1 or more
  std::uint32_t height = 0;  ///< likewise

  [[nodiscard]] std::uint64_t pixels() const noexcept { return std::uint64_t{width} * height; }
  bool operator==(const ImageHeader&) const = default;
};

/// Format and dimensions, or why not: not an image, an image format that isn't supported (by name), or a
/// header that ends early or contradicts itself.
[[nodiscard]] std::variant<ImageHeader, Reject> read_image_header(std::span<const std::byte> bytes);

}  // namespace headstart
