// data/webp.cpp: see webp.hpp; the container is that of the WebP Container Specification.
#include "data/webp.hpp"

#include <string_view>

#include "data/byte_view.hpp"
#include "data/opencv_decode.hpp"

namespace headstart {

std::variant<RgbImage, Reject> decode_webp(std::span<const std::byte> bytes, Alpha alpha) {
  using namespace std::string_view_literals;
  constexpr unsigned kAnimated = 2;
  const ByteView view(bytes, std::endian::little);
  if (!view.holds(8, view.u32(4))) return Reject{"WebP ends early"};
  if (view.has(12, "VP8X"sv) && (view.u8(20) & kAnimated) != 0)
    return Reject{"animated WebP is not supported"};
  return decode_with_opencv(bytes, {.format_name = "WebP", .transparency = Transparency::kStraight}, alpha);
}

}  // namespace headstart
