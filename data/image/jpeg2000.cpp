// data/image/jpeg2000.cpp: OpenJPEG decodes, in its strict mode. Before that, this code reads the headers of
// ITU-T T.800, annexes A.5.1 and I. It refuses files that would waste memory.
#include "data/image/jpeg2000.hpp"

#include <fmt/format.h>
#include <openjpeg.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/image/byte_view.hpp"
#include "data/image/channels.hpp"
#include "data/image/sample_range.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kBoxSignature = "\0\0\0\x0CjP  \r\n\x87\n"sv;
constexpr std::string_view kCodestreamStart = "\xFF\x4F\xFF\x51"sv;

/// The contents of the first box of `type` among the boxes of `view`.
std::optional<ByteView> find_box(const ByteView& view, std::string_view type) {
  std::uint64_t position = 0;
  while (view.holds(position, 8)) {
    const std::uint64_t short_length = view.u32(position);
    const std::uint64_t head = short_length == 1 ? 16 : 8;
    std::uint64_t length = short_length == 1 ? view.u64(position + 8) : short_length;
    const std::uint64_t left = view.size() - position;
    if (length == 0 || length > left) length = left;  // 0: to the end
    if (length < head) return std::nullopt;
    if (view.has(position + 4, type)) return ByteView(view.slice(position + head, length - head));
    position += length;
  }
  return std::nullopt;
}

constexpr unsigned kMaxComponents = 4;
constexpr unsigned kMaxBits = 16;
/// Smallest tile: its header, and the mark where its data starts.
constexpr std::uint64_t kLeastTileBytes = 14;

/// The state for OpenJPEG's callbacks.
struct Memory {
  std::span<const std::byte> bytes;
  std::size_t position = 0;
  std::string error = {};  ///< the first one
};

OPJ_SIZE_T read_stream(void* out, OPJ_SIZE_T count, void* user) {
  auto& memory = *static_cast<Memory*>(user);
  const std::size_t taken = std::min<std::size_t>(count, memory.bytes.size() - memory.position);
  if (taken == 0) return static_cast<OPJ_SIZE_T>(-1);  // the end
  std::memcpy(out, memory.bytes.data() + memory.position, taken);
  memory.position += taken;
  return taken;
}

OPJ_OFF_T skip_stream(OPJ_OFF_T count, void* user) {
  auto& memory = *static_cast<Memory*>(user);
  if (count < 0 || static_cast<std::uint64_t>(count) > memory.bytes.size() - memory.position) return -1;
  memory.position += static_cast<std::size_t>(count);
  return count;
}

OPJ_BOOL seek_stream(OPJ_OFF_T position, void* user) {
  auto& memory = *static_cast<Memory*>(user);
  if (position < 0 || static_cast<std::uint64_t>(position) > memory.bytes.size()) return OPJ_FALSE;
  memory.position = static_cast<std::size_t>(position);
  return OPJ_TRUE;
}

void keep_error(const char* message, void* user) {
  std::string& error = static_cast<Memory*>(user)->error;
  if (error.empty()) error = message;
}

void ignore_message(const char*, void*) {}

// OpenJPEG's types of streams and codecs are all void.
struct DestroyStream {
  void operator()(opj_stream_t* stream) const { opj_stream_destroy(stream); }
};
struct DestroyCodec {
  void operator()(opj_codec_t* codec) const { opj_destroy_codec(codec); }
};
struct DestroyImage {
  void operator()(opj_image_t* image) const { opj_image_destroy(image); }
};
using Image = std::unique_ptr<opj_image_t, DestroyImage>;

/// The decoded components. Nothing if OpenJPEG fails; `memory` then has the reason.
Image decode_components(Memory& memory) {
  const std::unique_ptr<opj_codec_t, DestroyCodec> codec(
      opj_create_decompress(ByteView(memory.bytes).has(0, kCodestreamStart) ? OPJ_CODEC_J2K : OPJ_CODEC_JP2));
  const std::unique_ptr<opj_stream_t, DestroyStream> stream(
      opj_stream_create(std::max<std::size_t>(1, memory.bytes.size()), OPJ_TRUE));
  if (codec == nullptr || stream == nullptr) throw std::bad_alloc();
  opj_set_error_handler(codec.get(), keep_error, &memory);
  opj_set_warning_handler(codec.get(), ignore_message, nullptr);
  opj_set_info_handler(codec.get(), ignore_message, nullptr);
  opj_stream_set_read_function(stream.get(), read_stream);
  opj_stream_set_skip_function(stream.get(), skip_stream);
  opj_stream_set_seek_function(stream.get(), seek_stream);
  opj_stream_set_user_data(stream.get(), &memory, nullptr);
  opj_stream_set_user_data_length(stream.get(), memory.bytes.size());

  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  opj_image_t* read = nullptr;
  if (opj_setup_decoder(codec.get(), &parameters) == OPJ_FALSE ||
      opj_decoder_set_strict_mode(codec.get(), OPJ_TRUE) == OPJ_FALSE)
    return nullptr;
  const bool has_header = opj_read_header(stream.get(), codec.get(), &read) != OPJ_FALSE;
  Image image(read);
  if (!has_header || opj_decode(codec.get(), stream.get(), image.get()) == OPJ_FALSE) return nullptr;
  return image;
}

/// One component. If it is subsampled, its samples are spread over the whole image.
class Component {
 public:
  Component(const opj_image_comp_t& stored, const opj_image_t& image)
      : stored_(&stored), offset_(stored.sgnd != 0 ? 1 << (stored.prec - 1) : 0), top_(image.y0) {
    const std::uint32_t width = image.x1 - image.x0;
    columns_.reserve(width);
    for (std::uint32_t x = 0; x < width; ++x)
      columns_.push_back(place(image.x0 + x, stored.dx, stored.x0, stored.w));
  }

  [[nodiscard]] unsigned bits() const { return stored_->prec; }

  /// Writes the samples of row `y`, 0 to 2^bits - 1, to every `step`-th place from `out`.
  void row(std::uint32_t y, std::uint16_t* out, std::size_t step) const {
    const OPJ_INT32* const samples =
        stored_->data + std::size_t{place(top_ + y, stored_->dy, stored_->y0, stored_->h)} * stored_->w;
    const std::int64_t white = (std::int64_t{1} << stored_->prec) - 1;
    for (std::size_t x = 0; x < columns_.size(); ++x) {
      const std::int64_t value = std::int64_t{samples[columns_[x]]} + offset_;
      out[x * step] = static_cast<std::uint16_t>(std::clamp<std::int64_t>(value, 0, white));
    }
  }

 private:
  /// Finds the sample that covers a position on the reference grid, among `count` samples from `first` on.
  static std::uint32_t place(std::uint32_t position, std::uint32_t distance, std::uint32_t first,
                             std::uint32_t count) {
    const std::uint32_t index = position / distance;
    return std::min(index < first ? 0 : index - first, count - 1);
  }

  const opj_image_comp_t* stored_;
  OPJ_INT32 offset_;
  std::uint32_t top_;
  std::vector<std::uint32_t> columns_;
};

/// The visible components: colours, and alpha last if there is any.
struct Shown {
  std::vector<const opj_image_comp_t*> components;
  Transparency transparency = Transparency::kOpaque;
};

/// Nothing if the colours are neither grey nor three.
std::optional<Shown> shown_of(const opj_image_t& image) {
  constexpr OPJ_UINT16 kColour = 0;
  constexpr OPJ_UINT16 kStraightAlpha = 1;
  constexpr OPJ_UINT16 kPremultipliedAlpha = 2;
  Shown shown;
  const opj_image_comp_t* alpha = nullptr;
  for (OPJ_UINT32 i = 0; i < image.numcomps; ++i) {
    const opj_image_comp_t& component = image.comps[i];
    if (component.alpha == kColour) {
      shown.components.push_back(&component);
    } else if (component.alpha == kStraightAlpha || component.alpha == kPremultipliedAlpha) {
      if (alpha != nullptr) return std::nullopt;
      alpha = &component;
    }
  }
  // Two or four components without a description end with alpha, as in Pillow.
  if (alpha == nullptr && (shown.components.size() == 2 || shown.components.size() == 4)) {
    alpha = shown.components.back();
    shown.components.pop_back();
  }
  if (shown.components.size() != 1 && shown.components.size() != 3) return std::nullopt;
  if (alpha != nullptr) {
    shown.transparency =
        alpha->alpha == kPremultipliedAlpha ? Transparency::kPremultiplied : Transparency::kStraight;
    shown.components.push_back(alpha);
  }
  return shown;
}

/// Why decoded components are no picture; nothing if they are one.
std::optional<Reject> refusal(const opj_image_t& image, const Jpeg2000Header& header) {
  if (image.x1 - image.x0 != header.width || image.y1 - image.y0 != header.height)
    return Reject{"JPEG 2000 is of another size than its header says"};
  if (image.color_space == OPJ_CLRSPC_CMYK || image.color_space == OPJ_CLRSPC_EYCC)
    return Reject{"JPEG 2000 with CMYK or e-YCC colours is not supported"};
  // For L*a*b*, OpenJPEG keeps the parameters in place of a profile, with length 0.
  if (image.icc_profile_buf != nullptr && image.icc_profile_len == 0)
    return Reject{"JPEG 2000 with L*a*b* colours is not supported"};
  for (OPJ_UINT32 i = 0; i < image.numcomps; ++i) {
    const opj_image_comp_t& component = image.comps[i];
    if (component.data == nullptr || component.w == 0 || component.h == 0 || component.dx == 0 ||
        component.dy == 0)
      return Reject{"JPEG 2000 lacks a component"};
    if (component.prec < 1 || component.prec > kMaxBits)
      return Reject{fmt::format("JPEG 2000 with {} bits is not supported", component.prec)};
  }
  return std::nullopt;
}

/// Bytes of all components, interleaved, and a note.
NarrowedSamples read_bytes(const opj_image_t& image, const Shown& shown,
                           const std::optional<SampleRange>& range) {
  const std::size_t width = image.x1 - image.x0;
  const std::size_t height = image.y1 - image.y0;
  const std::size_t count = shown.components.size();
  const bool has_alpha = shown.transparency != Transparency::kOpaque;
  std::vector<Component> components;
  for (const opj_image_comp_t* component : shown.components) components.emplace_back(*component, image);
  const bool equally_wide =
      std::all_of(components.begin(), components.end(),
                  [&](const Component& component) { return component.bits() == components.front().bits(); });
  if (equally_wide && components.front().bits() > 8) {
    WideSamples samples{.values = std::vector<std::uint16_t>(width * height * count),
                        .channels = static_cast<unsigned>(count),
                        .has_alpha = has_alpha};
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t i = 0; i < count; ++i)
        components[i].row(static_cast<std::uint32_t>(y), samples.values.data() + y * width * count + i,
                          count);
    }
    return narrow(samples, high_bytes(components.front().bits()), range);
  }
  NarrowedSamples narrowed{std::vector<std::uint8_t>(width * height * count), {}};
  std::vector<std::uint16_t> row(width);
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned bits = components[i].bits();
    const unsigned white = (1U << bits) - 1U;
    for (std::size_t y = 0; y < height; ++y) {
      components[i].row(static_cast<std::uint32_t>(y), row.data(), 1);
      for (std::size_t x = 0; x < width; ++x) {
        narrowed.bytes[(y * width + x) * count + i] = static_cast<std::uint8_t>(
            bits > 8 ? std::uint32_t{row[x]} >> (bits - 8U) : (row[x] * 255U + white / 2) / white);
      }
    }
  }
  return narrowed;
}

/// sYCC (IEC 61966-2-1) to RGB, in place. @param count  channels of a pixel, 3 or 4
void convert_sycc(std::vector<std::uint8_t>& bytes, std::size_t count) {
  const auto byte = [](double value) {
    return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
  };
  for (std::size_t i = 0; i + count <= bytes.size(); i += count) {
    const double y = bytes[i];
    const double blue = bytes[i + 1] - 128.0;
    const double red = bytes[i + 2] - 128.0;
    bytes[i] = byte(y + 1.402 * red);
    bytes[i + 1] = byte(y - 0.344136 * blue - 0.714136 * red);
    bytes[i + 2] = byte(y + 1.772 * blue);
  }
}

/// Some writers do not state sYCC, but only sYCC has subsampled colours.
bool is_sycc(const opj_image_t& image, const Shown& shown) {
  if (shown.components.size() < 3) return false;
  const bool subsampled = shown.components[0]->dx == 1 && shown.components[1]->dx > 1;
  return image.color_space == OPJ_CLRSPC_SYCC || (subsampled && image.color_space != OPJ_CLRSPC_SRGB);
}

}  // namespace

bool is_jpeg2000(std::span<const std::byte> bytes) {
  const ByteView view(bytes);
  return view.has(0, kBoxSignature) || view.has(0, kCodestreamStart);
}

Jpeg2000Header read_jpeg2000_header(std::span<const std::byte> bytes) {
  const ByteView file(bytes);
  Jpeg2000Header header;
  std::optional<ByteView> codestream = file;
  if (!file.has(0, kCodestreamStart)) {
    codestream = find_box(file, "jp2c"sv);
    if (const std::optional<ByteView> description = find_box(file, "jp2h"sv)) {
      if (const std::optional<ByteView> palette = find_box(*description, "pclr"sv))
        header.palette_channels = palette->u8(2);
    }
  }
  if (!codestream || !codestream->has(0, kCodestreamStart) || !codestream->holds(42, 3)) return header;
  header.width = std::int64_t{codestream->u32(8)} - codestream->u32(16);
  header.height = std::int64_t{codestream->u32(12)} - codestream->u32(20);
  header.components = codestream->u16(40);
  const auto tiles_along = [&](std::uint64_t place) {
    const std::uint64_t size = codestream->u32(place + 16);
    const std::uint64_t start = codestream->u32(place + 24);
    const std::uint64_t end = codestream->u32(place);
    return size == 0 || end < start ? 0 : (end - start + size - 1) / size;
  };
  header.tiles = tiles_along(8) * tiles_along(12);
  return header;
}

std::variant<DecodedImage, Reject> decode_jpeg2000(std::span<const std::byte> bytes,
                                                   const DecodeOptions& options) {
  const Jpeg2000Header header = read_jpeg2000_header(bytes);
  if (header.components < 1 || header.components > kMaxComponents || header.palette_channels > kMaxComponents)
    return Reject{"JPEG 2000 with this number of components is not supported"};
  if (header.tiles == 0 || header.tiles > bytes.size() / kLeastTileBytes)
    return Reject{"JPEG 2000 ends early"};
  Memory memory{.bytes = bytes};
  const Image image = decode_components(memory);
  if (image == nullptr || !memory.error.empty()) {
    std::string why = printable(memory.error.substr(0, memory.error.find('\n')));
    return Reject{fmt::format("JPEG 2000 cannot be decoded: {}", why.empty() ? "it is damaged" : why)};
  }
  if (std::optional<Reject> reject = refusal(*image, header)) return std::move(*reject);
  const std::optional<Shown> shown = shown_of(*image);
  if (!shown) return Reject{"JPEG 2000 with these channels is not supported"};
  NarrowedSamples narrowed = read_bytes(*image, *shown, options.range);
  const std::size_t count = shown->components.size();
  if (is_sycc(*image, *shown)) convert_sycc(narrowed.bytes, count);
  return DecodedImage{rgb_of({.height = static_cast<int>(header.height),
                              .width = static_cast<int>(header.width),
                              .count = static_cast<unsigned>(count),
                              .transparency = shown->transparency,
                              .bytes = std::move(narrowed.bytes)},
                             options.alpha),
                      std::move(narrowed.note)};
}

}  // namespace headstart
