// data/image/farbfeld.cpp: "farbfeld", width and height as 32 bits, then RGBA as 16 bits each, all
// big-endian.
#include "data/image/farbfeld.hpp"

#include <utility>

#include "data/image/byte_view.hpp"
#include "data/image/channels.hpp"

namespace headstart {
namespace {

constexpr std::size_t kHeaderBytes = 16;

}  // namespace

std::optional<std::variant<StatedSize, Reject>> farbfeld_size(std::span<const std::byte> bytes) {
  const ByteView view(bytes);
  if (!view.has(0, "farbfeld")) return std::nullopt;
  return StatedSize{view.u32(8), view.u32(12)};
}

std::variant<DecodedImage, Reject> decode_farbfeld(std::span<const std::byte> bytes,
                                                   const ImageHeader& header, const DecodeOptions& options,
                                                   int /*divisor*/) {
  const ByteView view(bytes, std::endian::big);
  if (!view.holds(kHeaderBytes, header.pixels() * 8)) return Reject{"farbfeld ends early"};
  WideSamples wide{
      .values = std::vector<std::uint16_t>(header.pixels() * 4), .channels = 4, .has_alpha = true};
  for (std::size_t i = 0; i < wide.values.size(); ++i) wide.values[i] = view.u16(kHeaderBytes + 2 * i);
  NarrowedSamples narrowed = narrow(wide, high_bytes(16), options.range);
  return DecodedImage{rgb_of({.height = static_cast<int>(header.height),
                              .width = static_cast<int>(header.width),
                              .count = 4,
                              .transparency = Transparency::kStraight,
                              .bytes = std::move(narrowed.bytes)},
                             options.alpha),
                      std::move(narrowed.note)};
}

}  // namespace headstart
