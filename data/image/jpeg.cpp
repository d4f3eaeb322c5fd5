// data/image/jpeg.cpp: uses libjpeg-turbo through libjpeg's own interface, which separates warnings from
// fatal errors. An error manager of ours keeps both. Note: libjpeg requires its fatal errors to jump. So each
// call into libjpeg is in a function whose frame has no object with a destructor.
#include "data/image/jpeg.hpp"

#include <fmt/format.h>

#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

// These two headers need <cstdio> before them.
#include <jpeglib.h>

#include <jerror.h>

namespace headstart {
namespace {

constexpr std::uint64_t kMaxJpegPixelsPerByte = 512;  // eight bits of 64 pixels
constexpr int kMaxScans = 500;  // TurboJPEG's limit: a progressive file may ask for any number

/// What libjpeg said about one file.
struct JpegErrors {
  jpeg_error_mgr manager{};
  std::jmp_buf jump{};
  std::array<char, JMSG_LENGTH_MAX> fatal{};
  std::array<char, JMSG_LENGTH_MAX> warning{};  ///< the first one
  bool ends_early = false;
};

JpegErrors& errors_of(j_common_ptr jpeg) { return *static_cast<JpegErrors*>(jpeg->client_data); }

[[noreturn]] void fail_jpeg(j_common_ptr jpeg) {
  jpeg->err->format_message(jpeg, errors_of(jpeg).fatal.data());
  std::longjmp(errors_of(jpeg).jump, 1);
}

void keep_warning(j_common_ptr jpeg, int level) {
  if (level >= 0) return;  // a trace
  JpegErrors& errors = errors_of(jpeg);
  errors.ends_early = errors.ends_early || jpeg->err->msg_code == JWRN_JPEG_EOF;
  if (jpeg->err->num_warnings++ == 0) jpeg->err->format_message(jpeg, errors.warning.data());
}

void print_nothing(j_common_ptr) {}

void limit_scans(j_common_ptr jpeg) {
  if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= kMaxScans) return;
  JpegErrors& errors = errors_of(jpeg);
  std::snprintf(errors.fatal.data(), errors.fatal.size(), "it has more than %d scans", kMaxScans);
  std::longjmp(errors.jump, 1);
}

/// Makes `jpeg` report to `errors`. Call it before creating `jpeg`.
template <typename Jpeg>
void report_to(Jpeg& jpeg, JpegErrors& errors) {
  jpeg.err = jpeg_std_error(&errors.manager);
  jpeg.client_data = &errors;
  errors.manager.error_exit = fail_jpeg;
  errors.manager.emit_message = keep_warning;
  errors.manager.output_message = print_nothing;
}

/// Reads one file. Each function returns whether it succeeded; after false only failure() may be called.
/// Note: a reader is not used again, because a damaged file would leave its tables for the next file.
class JpegReader {
 public:
  JpegReader() {
    report_to(jpeg_, errors_);
    if (!create()) throw std::bad_alloc();
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&jpeg_); }

  /// @param bytes  live as long as the reader
  bool read_header(std::span<const std::byte> bytes) {
    if (setjmp(errors_.jump) != 0) return false;
    jpeg_mem_src(&jpeg_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    jpeg_read_header(&jpeg_, TRUE);
    return true;
  }

  /// Starts decoding to RGB, or to CMYK if has_inks().
  bool start(int divisor) {
    if (setjmp(errors_.jump) != 0) return false;
    jpeg_.out_color_space = has_inks() ? JCS_CMYK : JCS_RGB;
    jpeg_.dct_method = JDCT_ISLOW;
    jpeg_.scale_num = 1;
    jpeg_.scale_denom = static_cast<unsigned>(divisor);
    jpeg_start_decompress(&jpeg_);
    return true;
  }

  /// Reads the rows into `pixels` [output_height, output_width, output_components], then the file to its end.
  bool read_rows(std::uint8_t* pixels) {
    if (setjmp(errors_.jump) != 0) return false;
    const std::size_t stride =
        std::size_t{jpeg_.output_width} * static_cast<std::size_t>(jpeg_.output_components);
    while (jpeg_.output_scanline < jpeg_.output_height) {
      JSAMPROW row = pixels + jpeg_.output_scanline * stride;
      jpeg_read_scanlines(&jpeg_, &row, 1);
    }
    jpeg_finish_decompress(&jpeg_);
    return true;
  }

  [[nodiscard]] bool has_inks() const noexcept {
    return jpeg_.jpeg_color_space == JCS_CMYK || jpeg_.jpeg_color_space == JCS_YCCK;
  }
  [[nodiscard]] const jpeg_decompress_struct& jpeg() const noexcept { return jpeg_; }
  [[nodiscard]] bool ends_early() const noexcept { return errors_.ends_early; }
  [[nodiscard]] std::string note() const { return printable(errors_.warning.data()); }
  [[nodiscard]] Reject failure() const {
    if (errors_.ends_early) return Reject{"JPEG ends early"};
    return Reject{fmt::format("JPEG cannot be decoded: {}", printable(errors_.fatal.data()))};
  }

 private:
  bool create() {
    if (setjmp(errors_.jump) != 0) return false;
    jpeg_create_decompress(&jpeg_);
    progress_.progress_monitor = limit_scans;
    jpeg_.progress = &progress_;
    return true;
  }

  JpegErrors errors_;
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct jpeg_{};
};

/// Writes one file into the caller's memory.
class JpegWriter {
 public:
  explicit JpegWriter(std::span<std::byte> out) : room_(out.size()) {
    destination_.next_output_byte = reinterpret_cast<JOCTET*>(out.data());
    destination_.free_in_buffer = out.size();
    destination_.init_destination = [](j_compress_ptr) {};
    destination_.empty_output_buffer = [](j_compress_ptr jpeg) -> boolean {
      ERREXIT(jpeg, JERR_BUFFER_SIZE);
      return FALSE;
    };
    destination_.term_destination = [](j_compress_ptr) {};
    report_to(jpeg_, errors_);
  }
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;
  ~JpegWriter() { jpeg_destroy_compress(&jpeg_); }

  /// Whether writing succeeded; else error() says why not.
  bool write(const RgbImage& image, int quality) {
    if (setjmp(errors_.jump) != 0) return false;
    jpeg_create_compress(&jpeg_);
    jpeg_.dest = &destination_;
    jpeg_.image_width = static_cast<JDIMENSION>(image.width);
    jpeg_.image_height = static_cast<JDIMENSION>(image.height);
    jpeg_.input_components = 3;
    jpeg_.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg_);
    jpeg_set_quality(&jpeg_, quality, TRUE);
    jpeg_.dct_method = quality >= 96 ? JDCT_ISLOW : JDCT_FASTEST;  // above, the fast one's loss shows
    jpeg_start_compress(&jpeg_, TRUE);
    const std::size_t stride = static_cast<std::size_t>(image.width) * 3;
    while (jpeg_.next_scanline < jpeg_.image_height) {
      JSAMPROW row = const_cast<JSAMPROW>(image.pixels.data() + jpeg_.next_scanline * stride);
      jpeg_write_scanlines(&jpeg_, &row, 1);
    }
    jpeg_finish_compress(&jpeg_);
    return true;
  }

  [[nodiscard]] std::size_t written() const noexcept { return room_ - destination_.free_in_buffer; }
  [[nodiscard]] const char* error() const noexcept { return errors_.fatal.data(); }

 private:
  std::size_t room_;
  JpegErrors errors_;
  jpeg_destination_mgr destination_{};
  jpeg_compress_struct jpeg_{};
};

/// TensorFlow's conversion (jpeg_mem.cc): truncating integer products. Adobe's files are stored inverted.
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
  JpegReader reader;
  if (!reader.read_header(bytes)) return reader.failure();
  const jpeg_decompress_struct& jpeg = reader.jpeg();
  if (jpeg.image_width != header.width || jpeg.image_height != header.height)
    return Reject{"JPEG has two headers that differ"};
  // Huffman coding needs at least one bit for each block of 64 samples. So no memory is allocated for pixels
  // that can't be there.
  if (jpeg.arith_code == FALSE && header.pixels() / kMaxJpegPixelsPerByte > bytes.size())
    return Reject{"JPEG ends early"};

  if (!reader.start(divisor)) return reader.failure();
  std::vector<std::uint8_t> pixels(std::size_t{jpeg.output_width} * jpeg.output_height *
                                   static_cast<std::size_t>(jpeg.output_components));
  if (!reader.read_rows(pixels.data()) || reader.ends_early()) return reader.failure();
  if (reader.has_inks()) pixels = cmyk_to_rgb(pixels, jpeg.saw_Adobe_marker == TRUE);
  return DecodedImage{
      RgbImage{static_cast<int>(jpeg.output_height), static_cast<int>(jpeg.output_width), std::move(pixels)},
      reader.note()};
}

std::vector<std::byte> encode_jpeg(const RgbImage& image, int quality) {
  // Two bytes a sample, chroma at a quarter of the samples, sides rounded up to whole blocks, and the
  // headers.
  const auto padded = [](int side) { return (static_cast<std::size_t>(side) + 15) / 16 * 16; };
  std::vector<std::byte> bytes(padded(image.width) * padded(image.height) * 3 + 2048);
  JpegWriter writer(bytes);
  if (!writer.write(image, quality)) throw std::runtime_error(writer.error());
  bytes.resize(writer.written());
  return bytes;
}

}  // namespace headstart
