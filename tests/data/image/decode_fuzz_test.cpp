// tests/data/image/decode_fuzz_test.cpp: whatever the bytes are, decode_image returns. Worth most under
// AddressSanitizer.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "data/image/decode.hpp"
#include "tests/data/image_files.hpp"

namespace headstart {
namespace {

/// One of the images with some bytes changed, removed, doubled or cut off.
std::vector<std::byte> mutated_image() {
  static const std::vector<std::string> kNames = test::image_names();
  std::vector<std::byte> bytes = test::image_bytes(*rc::gen::elementOf(kNames));
  const auto mutations = *rc::gen::inRange(1, 12);
  for (int i = 0; i < mutations && !bytes.empty(); ++i) {
    // Headers, where lengths and sizes are, are hit more often than their share of the bytes.
    const std::size_t reach = *rc::gen::weightedElement<std::size_t>({{2, 64}, {1, 400}, {1, bytes.size()}});
    const auto position = *rc::gen::inRange<std::size_t>(0, std::min(reach, bytes.size()));
    const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(position);
    switch (*rc::gen::inRange(0, 10)) {
      case 0:
        bytes.resize(position);
        break;
      case 1:
        bytes.erase(place);
        break;
      case 2:
        bytes.insert(place, *place);
        break;
      case 3:
        *place = std::byte{0xFF};
        break;
      default:
        *place = static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>());
    }
  }
  return bytes;
}

RC_GTEST_PROP(DecodeFuzz, AnyBytesGiveAnImageOrAReason, ()) {
  constexpr std::uint64_t kMaxPixels = 1'000'000;
  for (int i = 0; i < 40; ++i) {
    const auto alpha = *rc::gen::element(Alpha::kWhite, Alpha::kDrop);
    const auto result = decode_image(mutated_image(), {.alpha = alpha, .max_pixels = kMaxPixels});
    if (const auto* reject = std::get_if<Reject>(&result)) {
      RC_ASSERT(!reject->reason.empty());
      RC_ASSERT(reject->reason == printable(reject->reason));
    } else {
      const RgbImage& image = std::get<DecodedImage>(result).image;
      const auto pixels = static_cast<std::uint64_t>(image.height) * static_cast<std::uint64_t>(image.width);
      RC_ASSERT(pixels >= 1U && pixels <= kMaxPixels);
      RC_ASSERT(image.pixels.size() == 3 * pixels);
    }
  }
}

}  // namespace
}  // namespace headstart
