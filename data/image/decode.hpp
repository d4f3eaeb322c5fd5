// data/image/decode.hpp: image file bytes to upright 8-bit RGB. Libraries: libjpeg-turbo (JPEG), libpng
// (PNG), libwebp (WebP), giflib (GIF), libtiff (TIFF), OpenJPEG (JPEG 2000); headstart itself reads BMP and
// PNM. Input is untrusted: the dimensions in the header are compared with the limit before any pixel is
// allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "data/error.hpp"
#include "data/image/rgb_image.hpp"
#include "data/image/sample_range.hpp"

namespace headstart {

/// What to do with transparency.
enum class Alpha {
  kWhite,  ///< compose over white
  kDrop,   ///< use the colour channels as they are stored
};

/// The word for it on the command line and in files.
[[nodiscard]] constexpr std::string_view to_string(Alpha alpha) noexcept {
  switch (alpha) {
    case Alpha::kWhite:
      return "white";
    case Alpha::kDrop:
      return "drop";
  }
  return {};
}

/// Options of a decoder.
struct DecodeOptions {
  Alpha alpha = Alpha::kWhite;
  bool ignore_exif = false;                ///< keep the stored orientation
  std::uint64_t max_pixels = 200'000'000;  ///< larger images are rejected before they are decoded

  /// How samples of more than 8 bits become 8 bits; nothing: take the high byte.
  std::optional<SampleRange> range = std::nullopt;

  bool operator==(const DecodeOptions&) const = default;
};

/// A decoded image, ready to be resized.
struct DecodedImage {
  RgbImage image;
  std::string note;  ///< a decoder's warning about an accepted image; usually empty
};

/// Decodes one image. Any fault of the image is a Reject, whatever the bytes are. Conversions: EXIF
/// orientation is applied; alpha follows the options; grey becomes three equal channels. 16-bit samples
/// become their high byte (as in TensorFlow's decode_png), unless options.range is given. CMYK JPEGs become
/// RGB as in TensorFlow. A JPEG that ends early is rejected; other libjpeg warnings become the note. JPEGs
/// are decoded with libjpeg's accurate integer DCT and smooth chroma upsampling.
[[nodiscard]] std::variant<DecodedImage, Reject> decode_image(std::span<const std::byte> bytes,
                                                              const DecodeOptions& options);

/// Like decode_image(), for a small picture. A JPEG may be decoded at a half, a quarter or an eighth of its
/// size, in a fraction of the time. Both sides keep at least `least_side` pixels. @param least_side  at least
/// 1
[[nodiscard]] std::variant<DecodedImage, Reject> decode_preview(std::span<const std::byte> bytes,
                                                                const DecodeOptions& options, int least_side);

}  // namespace headstart
