// data/opencv_decode.cpp: cv::imdecode with IMREAD_UNCHANGED (which applies no EXIF orientation), and its Mat
// to RGB. Surprise: OpenCV 4.6 catches its decoders' exceptions itself and prints them to std::cerr, past its
// own logger; a bad image among thousands must not print, so std::cerr gets a filter that is deaf to a thread
// while that thread decodes.
#include "data/opencv_decode.hpp"

#include <fmt/format.h>

#include <iostream>
#include <limits>
#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <streambuf>
#include <utility>

#include "data/byte_view.hpp"

namespace headstart {
namespace {

/// Passes everything on to what std::cerr wrote to before, but for threads that are muted.
class CerrFilter final : public std::streambuf {
 public:
  CerrFilter() : target_(std::cerr.rdbuf(this)) {}
  ~CerrFilter() override {
    if (std::cerr.rdbuf() == this) std::cerr.rdbuf(target_);
  }
  CerrFilter(const CerrFilter&) = delete;
  CerrFilter& operator=(const CerrFilter&) = delete;

  /// Mutes this thread while it lives.
  class Mute {
   public:
    Mute() noexcept { ++depth_; }
    ~Mute() { --depth_; }
    Mute(const Mute&) = delete;
    Mute& operator=(const Mute&) = delete;
  };

 protected:
  int_type overflow(int_type character) override {
    if (depth_ > 0 || traits_type::eq_int_type(character, traits_type::eof()))
      return traits_type::not_eof(character);
    return target_->sputc(traits_type::to_char_type(character));
  }
  std::streamsize xsputn(const char* text, std::streamsize count) override {
    return depth_ > 0 ? count : target_->sputn(text, count);
  }
  int sync() override { return depth_ > 0 ? 0 : target_->pubsync(); }

 private:
  static inline thread_local int depth_ = 0;
  std::streambuf* target_;
};

// Installed before main(), so that no thread can be writing to std::cerr meanwhile.
const CerrFilter kCerrFilter;

bool silence_logger() {
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  return true;
}

/// An empty Mat for whatever OpenCV can't decode.
cv::Mat quiet_imdecode(std::span<const std::byte> bytes) {
  static const bool kSilenced = silence_logger();
  static_cast<void>(kSilenced);
  if (!std::in_range<int>(bytes.size())) return {};
  const CerrFilter::Mute mute;
  // OpenCV only reads the buffer; its Mat has no const form.
  const cv::Mat buffer(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<std::byte*>(bytes.data()));
  try {
    return cv::imdecode(buffer, cv::IMREAD_UNCHANGED);
  } catch (...) {  // its decoders throw more than cv::Exception
    return {};
  }
}

/// Sample is std::uint8_t or std::uint16_t; channels come as grey, BGR or BGRA.
template <typename Sample>
RgbImage to_rgb(const cv::Mat& mat, const StoredPixels& stored, Alpha alpha) {
  const auto channels = static_cast<std::size_t>(mat.channels());
  const unsigned shift = sizeof(Sample) == 1 ? 0U : stored.significant_bits - 8U;
  const unsigned flip = stored.inverted ? 255U : 0U;
  const bool composes = alpha == Alpha::kWhite && stored.transparency != Transparency::kOpaque;

  RgbImage image{mat.rows, mat.cols, {}};
  image.pixels.resize(mat.total() * 3);
  std::uint8_t* out = image.pixels.data();
  for (int y = 0; y < mat.rows; ++y) {
    const auto* in = mat.ptr<Sample>(y);
    for (int x = 0; x < mat.cols; ++x, in += channels, out += 3) {
      const auto byte = [&](std::size_t channel) {
        return (static_cast<unsigned>(in[channel]) >> shift) & 255U;
      };
      unsigned opacity = 255U;
      if (composes && channels == 4) opacity = byte(3);
      for (std::size_t channel = 0; channel < 3; ++channel) {
        const unsigned colour = byte(channels == 1 ? 0 : 2 - channel) ^ flip;
        out[channel] = opacity == 255U ? static_cast<std::uint8_t>(colour)
                                       : over_white(colour, opacity, stored.transparency);
      }
    }
  }
  return image;
}

}  // namespace

std::variant<RgbImage, Reject> decode_with_opencv(std::span<const std::byte> bytes,
                                                  const StoredPixels& stored, Alpha alpha) {
  // OpenCV tells formats on its own, and asks for DICOM before JPEG 2000, and before any file that its
  // decoder of the right format does not want. That decoder ends the process on what it does not expect, and
  // allocates whatever an element claims. TIFF comes before it.
  if (stored.format_name != "TIFF" && ByteView(bytes).has(128, "DICM")) {
    return Reject{fmt::format("{} claims to be DICOM too, which is not supported", stored.format_name)};
  }
  const cv::Mat mat = quiet_imdecode(bytes);
  if (mat.empty())
    return Reject{fmt::format("{} cannot be decoded: it is damaged or of a rare kind", stored.format_name)};
  const int channels = mat.channels();
  if (channels != 1 && channels != 3 && channels != 4) {
    return Reject{fmt::format("{} with {} channels is not supported", stored.format_name, channels)};
  }
  switch (mat.depth()) {
    case CV_8U:
      return to_rgb<std::uint8_t>(mat, stored, alpha);
    case CV_16U:
      return to_rgb<std::uint16_t>(mat, stored, alpha);
    case CV_32F:
    case CV_64F:
      return Reject{fmt::format("{} with floating-point pixels is not supported", stored.format_name)};
    default:
      return Reject{fmt::format("{} with this kind of pixels is not supported", stored.format_name)};
  }
}

}  // namespace headstart
