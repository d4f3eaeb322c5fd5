// data/image/webp.cpp: libwebp decodes into memory that headstart owns; its demuxer finds the first picture
// of an animation.
#include "data/image/webp.hpp"

#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "data/image/byte_view.hpp"
#include "data/image/transparency.hpp"

namespace headstart {
namespace {

const std::uint8_t* characters(std::span<const std::byte> bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

/// Why libwebp gave no picture; nothing if it did.
std::optional<Reject> webp_failure(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_OK:
      return std::nullopt;
    case VP8_STATUS_OUT_OF_MEMORY:
      throw std::bad_alloc();
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return Reject{"WebP ends early"};
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return Reject{"WebP of this kind is not supported"};
    default:
      return Reject{"WebP cannot be decoded: it is damaged"};
  }
}

/// Decodes the one picture in `bytes`.
/// @param pixels  begins at the picture's first pixel
/// @param stride  bytes from one row to the next
std::optional<Reject> decode_into(std::span<const std::byte> bytes, WEBP_CSP_MODE mode,
                                  std::span<std::uint8_t> pixels, int stride) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) throw std::runtime_error("libwebp is of another version");
  config.output.colorspace = mode;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {pixels.data(), stride, pixels.size()};
  return webp_failure(WebPDecode(characters(bytes), bytes.size(), &config));
}

std::variant<RgbImage, Reject> decode_still(std::span<const std::byte> bytes,
                                            const WebPBitstreamFeatures& features, Alpha alpha) {
  const int channels = features.has_alpha != 0 ? 4 : 3;
  const int stride = features.width * channels;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(stride) *
                                   static_cast<std::size_t>(features.height));
  if (auto reject = decode_into(bytes, channels == 4 ? MODE_RGBA : MODE_RGB, pixels, stride)) return *reject;
  if (channels == 4) pixels = rgb_of(pixels, alpha);
  return RgbImage{features.height, features.width, std::move(pixels)};
}

/// An animation's first picture. Its bytes are a complete WebP image.
class FirstFrame {
 public:
  explicit FirstFrame(std::span<const std::byte> file) {
    const WebPData data{characters(file), file.size()};
    demuxer_.reset(WebPDemux(&data));
    found_ = demuxer_ != nullptr && WebPDemuxGetFrame(demuxer_.get(), 1, &frame_) != 0;
  }
  FirstFrame(const FirstFrame&) = delete;
  FirstFrame& operator=(const FirstFrame&) = delete;
  ~FirstFrame() { WebPDemuxReleaseIterator(&frame_); }

  [[nodiscard]] bool found() const noexcept { return found_; }
  [[nodiscard]] int x() const noexcept { return frame_.x_offset; }
  [[nodiscard]] int y() const noexcept { return frame_.y_offset; }
  [[nodiscard]] int width() const noexcept { return frame_.width; }
  [[nodiscard]] int height() const noexcept { return frame_.height; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return std::as_bytes(std::span(frame_.fragment.bytes, frame_.fragment.size));
  }

 private:
  struct Delete {
    void operator()(WebPDemuxer* demuxer) const noexcept { WebPDemuxDelete(demuxer); }
  };
  std::unique_ptr<WebPDemuxer, Delete> demuxer_;
  WebPIterator frame_{};
  bool found_ = false;
};

std::variant<RgbImage, Reject> decode_first_frame(std::span<const std::byte> bytes,
                                                  const WebPBitstreamFeatures& canvas, Alpha alpha) {
  const FirstFrame frame(bytes);
  if (!frame.found()) return Reject{"WebP has an animation that is damaged"};
  WebPBitstreamFeatures picture;
  if (auto reject = webp_failure(WebPGetFeatures(characters(frame.bytes()), frame.bytes().size(), &picture)))
    return *reject;
  const bool fits = frame.x() >= 0 && frame.y() >= 0 && picture.width == frame.width() &&
                    picture.height == frame.height() && frame.width() <= canvas.width - frame.x() &&
                    frame.height() <= canvas.height - frame.y();
  if (!fits) return Reject{"WebP has an animation whose first picture leaves its canvas"};

  const int stride = canvas.width * 4;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(stride) *
                                   static_cast<std::size_t>(canvas.height));
  const std::size_t first = static_cast<std::size_t>(frame.y()) * static_cast<std::size_t>(stride) +
                            static_cast<std::size_t>(frame.x()) * 4;
  if (auto reject = decode_into(frame.bytes(), MODE_RGBA, std::span(pixels).subspan(first), stride))
    return *reject;
  return RgbImage{canvas.height, canvas.width, rgb_of(pixels, alpha)};
}

}  // namespace

std::variant<RgbImage, Reject> decode_webp(std::span<const std::byte> bytes, const ImageHeader& header,
                                           Alpha alpha) {
  const ByteView view(bytes, std::endian::little);
  if (!view.holds(8, view.u32(4))) return Reject{"WebP ends early"};
  WebPBitstreamFeatures features;
  if (auto reject = webp_failure(WebPGetFeatures(characters(bytes), bytes.size(), &features))) return *reject;
  if (std::cmp_not_equal(features.width, header.width) ||
      std::cmp_not_equal(features.height, header.height)) {
    return Reject{"WebP has two headers that differ"};
  }
  return features.has_animation != 0 ? decode_first_frame(bytes, features, alpha)
                                     : decode_still(bytes, features, alpha);
}

}  // namespace headstart
