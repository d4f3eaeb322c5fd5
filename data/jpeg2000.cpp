// data/jpeg2000.cpp: OpenCV decodes (through OpenJPEG); what it must not be given is refused here, from the
// header of ITU-T T.800, annexes A.5.1 and I.
#include "data/jpeg2000.hpp"

#include <optional>
#include <string_view>

#include "data/byte_view.hpp"
#include "data/opencv_decode.hpp"

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
    const std::optional<ByteView> description = find_box(file, "jp2h"sv);
    header.has_palette = description && find_box(*description, "pclr"sv);
  }
  if (!codestream || !codestream->has(0, kCodestreamStart) || !codestream->holds(42, 3)) return header;
  header.width = std::int64_t{codestream->u32(8)} - codestream->u32(16);
  header.height = std::int64_t{codestream->u32(12)} - codestream->u32(20);
  header.components = codestream->u16(40);
  header.bits = (codestream->u8(42) & 0x7FU) + 1U;
  header.is_uniform = true;
  for (unsigned i = 0; i < header.components; ++i) {
    const std::uint64_t component = 42 + 3 * std::uint64_t{i};
    // The top bit of the precision byte means signed samples.
    header.is_uniform = header.is_uniform && codestream->u8(component) == header.bits - 1 &&
                        codestream->u16(component + 1) == 0x0101;
  }
  return header;
}

std::variant<RgbImage, Reject> decode_jpeg2000(std::span<const std::byte> bytes, Alpha alpha) {
  const Jpeg2000Header header = read_jpeg2000_header(bytes);
  if (header.has_palette) return Reject{"JPEG 2000 with a palette is not supported"};
  if (header.components == 2) return Reject{"JPEG 2000 with grey and alpha is not supported"};
  if (header.components != 1 && header.components != 3 && header.components != 4) {
    return Reject{"JPEG 2000 with this number of components is not supported"};
  }
  if (!header.is_uniform) return Reject{"JPEG 2000 with components that differ is not supported"};
  if (header.bits < 8 || header.bits > 16) return Reject{"JPEG 2000 of this bit depth is not supported"};
  const StoredPixels stored{
      .format_name = "JPEG 2000", .transparency = Transparency::kStraight, .significant_bits = header.bits};
  return decode_with_opencv(bytes, stored, alpha);
}

}  // namespace headstart
