// data/jpeg.cpp: TurboJPEG's own wrapper around libjpeg; its 2.1 API, which 3.x still has.
// Surprise: TurboJPEG tells only the first warning of a decode, so a file that ends early is found by its
// missing end-of-image marker, not by libjpeg's warning, which can hide behind another.
#include "data/jpeg.hpp"

#include <fmt/format.h>
#include <turbojpeg.h>

#include <memory>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "data/jpeg_markers.hpp"

namespace headstart {
namespace {

constexpr std::uint64_t kMaxPixelsPerByte = 512;  // eight bits of 64 pixels

struct DestroyHandle {
  void operator()(void* handle) const noexcept { tjDestroy(handle); }
};
using Handle = std::unique_ptr<std::remove_pointer_t<tjhandle>, DestroyHandle>;

Reject not_decodable(tjhandle handle) {
  return Reject{fmt::format("JPEG cannot be decoded: {}", printable(tjGetErrorStr2(handle)))};
}

/// TensorFlow's conversion (jpeg_mem.cc): truncating integer products, and Adobe's files are stored inverted.
std::vector<std::uint8_t> cmyk_to_rgb(std::span<const std::uint8_t> cmyk, bool inverted) {
  std::vector<std::uint8_t> rgb;
  rgb.reserve(cmyk.size() / 4 * 3);
  for (std::size_t i = 0; i + 3 < cmyk.size(); i += 4) {
    const unsigned key = inverted ? cmyk[i + 3] : 255U - cmyk[i + 3];
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const unsigned ink = inverted ? cmyk[i + channel] : 255U - cmyk[i + channel];
      rgb.push_back(static_cast<std::uint8_t>(ink * key / 255U));
    }
  }
  return rgb;
}

}  // namespace

std::variant<DecodedImage, Reject> decode_jpeg(std::span<const std::byte> bytes, const ImageHeader& header,
                                               int divisor) {
  const JpegMarkers markers = read_jpeg_markers(bytes);
  // Huffman coding spends at least one bit on each block of 64 samples: no memory for pixels that cannot be
  // there.
  const bool has_room = markers.arithmetic || header.pixels() / kMaxPixelsPerByte <= bytes.size();
  if (!markers.ended || !has_room) return Reject{"JPEG ends early"};

  // A new decompressor for each image (0.2 us): one that has seen a damaged file keeps its Huffman and
  // quantisation tables, and fails on, or draws with them, the files that follow.
  const Handle decompressor(tjInitDecompress());
  if (decompressor == nullptr) throw std::bad_alloc();
  const tjhandle handle = decompressor.get();
  const auto* const data = reinterpret_cast<const unsigned char*>(bytes.data());
  int width = 0;
  int height = 0;
  int subsampling = -1;
  int colour_space = -1;
  // This call fails for unusual chroma subsampling too, which the decoder can do: the values that it gives
  // decide.
  if (tjDecompressHeader3(handle, data, bytes.size(), &width, &height, &subsampling, &colour_space) != 0 &&
      (width == 0 || colour_space < 0)) {
    return not_decodable(handle);
  }
  if (std::cmp_not_equal(width, header.width) || std::cmp_not_equal(height, header.height)) {
    return Reject{"JPEG has two headers that differ"};
  }

  const tjscalingfactor scale{1, divisor};
  width = TJSCALED(width, scale);
  height = TJSCALED(height, scale);
  const bool four_channels = colour_space == TJCS_CMYK || colour_space == TJCS_YCCK;
  const int pixel_format = four_channels ? TJPF_CMYK : TJPF_RGB;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
                                   static_cast<std::size_t>(tjPixelSize[pixel_format]));
  std::string note;
  if (tjDecompress2(handle, data, bytes.size(), pixels.data(), width, 0, height, pixel_format,
                    TJFLAG_LIMITSCANS) != 0) {
    if (tjGetErrorCode(handle) != TJERR_WARNING) return not_decodable(handle);
    note = printable(tjGetErrorStr2(handle));
  }
  if (four_channels) pixels = cmyk_to_rgb(pixels, markers.adobe);
  return DecodedImage{RgbImage{height, width, std::move(pixels)}, std::move(note)};
}

std::vector<std::byte> encode_jpeg(const RgbImage& image, int quality) {
  const Handle compressor(tjInitCompress());
  if (compressor == nullptr) throw std::bad_alloc();
  std::vector<std::byte> bytes(tjBufSize(image.width, image.height, TJSAMP_420));
  auto* data = reinterpret_cast<unsigned char*>(bytes.data());
  unsigned long size = bytes.size();
  if (tjCompress2(compressor.get(), image.pixels.data(), image.width, 0, image.height, TJPF_RGB, &data, &size,
                  TJSAMP_420, quality, TJFLAG_NOREALLOC) != 0) {
    throw std::runtime_error(tjGetErrorStr2(compressor.get()));
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace headstart
