// data/decode.hpp: image file bytes to upright 8-bit RGB: JPEG by libjpeg-turbo, PNG by libpng, WebP by
// libwebp, GIF by giflib, TIFF by libtiff, JPEG 2000 by OpenJPEG, BMP and PNM by ourselves. Untrusted input:
// dimensions are read from the header and held against the limit before any pixel is allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "data/error.hpp"
#include "data/rgb_image.hpp"
#include "data/sample_range.hpp"

namespace headstart {

/// What to do with transparency.
enum class Alpha {
  kWhite,  ///< compose over white
  kDrop,   ///< use the colour channels as they are stored
};

/// What a decoder has to be told.
struct DecodeOptions {
  Alpha alpha = Alpha::kWhite;
  bool ignore_exif = false;                ///< keep the stored orientation
  std::uint64_t max_pixels = 200'000'000;  ///< larger images are rejected before they are decoded

  /// How samples of more than 8 bits become 8; nothing: by their high byte.
  std::optional<SampleRange> range = std::nullopt;

  bool operator==(const DecodeOptions&) const = default;
};

/// An image as it goes on to be resized.
struct DecodedImage {
  RgbImage image;
  std::string note;  ///< a decoder's warning about an image that was accepted all the same; empty mostly
};

/// Decodes one image; anything wrong with it is a Reject, whatever the bytes are.
/// Conversions: EXIF orientation applied; alpha per options; grey becomes three equal channels; 16 bit
/// becomes the high byte (as TensorFlow's decode_png does); CMYK JPEG as TensorFlow does. A JPEG that ends
/// early is rejected, other libjpeg warnings are noted. The JPEG decode is libjpeg's accurate integer one
/// with smooth chroma upsampling.
[[nodiscard]] std::variant<DecodedImage, Reject> decode_image(std::span<const std::byte> bytes,
                                                              const DecodeOptions& options);

/// The same for a small picture of it: a JPEG may come at a half, a quarter or an eighth of its size, as long
/// as both sides keep `least_side` pixels, which takes a fraction of the time. @param least_side  at least 1
[[nodiscard]] std::variant<DecodedImage, Reject> decode_preview(std::span<const std::byte> bytes,
                                                                const DecodeOptions& options, int least_side);

}  // namespace headstart
