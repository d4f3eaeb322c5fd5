// data/tiff.cpp: OpenCV decodes (through libtiff) a copy of the file in which the tags that it acts on by
// itself are neutral. Surprises of OpenCV 4.6: it applies the orientation whatever the flags; it multiplies
// straight alpha into 8-bit colours, which loses them; it reads 16-bit planes as if they were interleaved,
// and 16-bit white-is-zero as it stands.
#include "data/tiff.hpp"

#include <optional>
#include <vector>

#include "data/opencv_decode.hpp"
#include "data/tiff_directory.hpp"

namespace headstart {
namespace {

constexpr std::uint32_t kWhiteIsZero = 0;
constexpr std::uint32_t kBlackIsZero = 1;
constexpr std::uint32_t kRgb = 2;
constexpr std::uint32_t kSeparated = 5;
constexpr std::uint32_t kSeparatePlanes = 2;
constexpr std::uint32_t kUnsignedSamples = 1;
constexpr std::uint32_t kFloatSamples = 3;
constexpr std::uint32_t kUnspecifiedExtra = 0;
constexpr std::uint32_t kAssociatedAlpha = 1;
constexpr std::uint32_t kUnassociatedAlpha = 2;

/// What the tags say, with the defaults of TIFF 6.0.
struct Page {
  explicit Page(const TiffDirectory& directory)
      : height(directory.number(TiffTag::kImageLength).value_or(0)),
        bits(directory.number(TiffTag::kBitsPerSample).value_or(1)),
        samples(directory.number(TiffTag::kSamplesPerPixel).value_or(1)),
        photometric(directory.number(TiffTag::kPhotometric).value_or(kBlackIsZero)),
        planes(directory.number(TiffTag::kPlanarConfiguration).value_or(1)),
        sample_format(directory.number(TiffTag::kSampleFormat).value_or(kUnsignedSamples)),
        // A fourth channel that nothing is said about is alpha, as Pillow has it.
        extra(directory.number(TiffTag::kExtraSamples).value_or(kUnassociatedAlpha)),
        tile_width(directory.number(TiffTag::kTileWidth).value_or(0)),
        tile_height(directory.number(TiffTag::kTileLength).value_or(0)) {}

  std::uint32_t height;
  std::uint32_t bits;
  std::uint32_t samples;
  std::uint32_t photometric;
  std::uint32_t planes;
  std::uint32_t sample_format;
  std::uint32_t extra;
  std::uint32_t tile_width;
  std::uint32_t tile_height;
};

bool is_grey(const Page& page) {
  return page.photometric == kWhiteIsZero || page.photometric == kBlackIsZero;
}

/// Why a page is not given to OpenCV, if so.
std::optional<Reject> refusal(const Page& page, std::uint64_t max_pixels) {
  if (page.sample_format == kFloatSamples) return Reject{"TIFF with floating-point pixels is not supported"};
  if (page.sample_format != kUnsignedSamples)
    return Reject{"TIFF with signed or complex pixels is not supported"};
  if (page.samples < 1 || page.samples > 4)
    return Reject{"TIFF with this number of channels is not supported"};
  if (is_grey(page) && page.samples != 1) return Reject{"TIFF with grey and alpha is not supported"};
  if (page.bits == 16 && (page.photometric > kRgb || page.planes == kSeparatePlanes)) {
    return Reject{"16-bit TIFF of this kind is not supported"};
  }
  if (page.bits != 1 && page.bits != 4 && page.bits != 8 && page.bits != 16) {
    return Reject{"TIFF of this bit depth is not supported"};
  }
  if (std::uint64_t{page.tile_width} * page.tile_height > max_pixels) {
    return Reject{"TIFF has tiles of more pixels than the limit"};
  }
  return std::nullopt;
}

Transparency transparency_of(const Page& page) {
  if (page.samples != 4 || page.photometric == kSeparated || page.extra == kUnspecifiedExtra) {
    return Transparency::kOpaque;
  }
  return page.extra == kAssociatedAlpha ? Transparency::kPremultiplied : Transparency::kStraight;
}

}  // namespace

std::variant<RgbImage, Reject> decode_tiff(std::span<const std::byte> bytes, std::uint64_t max_pixels,
                                           Alpha alpha) {
  const std::optional<TiffDirectory> directory = TiffDirectory::read(bytes);
  if (!directory) return Reject{"TIFF ends early"};
  const Page page(*directory);
  if (const std::optional<Reject> reject = refusal(page, max_pixels)) return *reject;

  std::vector<std::byte> neutral(bytes.begin(), bytes.end());
  directory->overwrite(TiffTag::kOrientation, 1, neutral);
  directory->overwrite(TiffTag::kExtraSamples, kAssociatedAlpha, neutral);
  if (directory->number(TiffTag::kRowsPerStrip).value_or(0) > page.height) {
    directory->overwrite(TiffTag::kRowsPerStrip, page.height, neutral);
  }
  const StoredPixels stored{.format_name = "TIFF",
                            .transparency = transparency_of(page),
                            .inverted = page.bits == 16 && page.photometric == kWhiteIsZero};
  return decode_with_opencv(neutral, stored, alpha);
}

}  // namespace headstart
