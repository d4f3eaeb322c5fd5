// tests/fuzz/decode_fuzzer.cpp: any bytes given to decode_image end as an image of the stated size or as a
// reason. Surprise: a PNG's chunks carry checksums, which nearly every mutation breaks; the mutator puts most
// of them right again, so that what lies behind the check is reached.
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <variant>

#include "data/image/byte_view.hpp"
#include "data/image/decode.hpp"
#include "data/image/png.hpp"
#include "tests/fuzz/expect.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using headstart::fuzz::expect;

/// Small, so that an image that is let through costs little.
constexpr std::uint64_t kMaxPixels = 1U << 18U;

void repair_checksums(std::span<std::uint8_t> png) {
  const headstart::ByteView view(std::as_bytes(png));
  if (!view.has(0, headstart::kPngSignature)) return;
  for (std::size_t position = headstart::kPngSignature.size(); view.holds(position, 12);) {
    const std::size_t length = view.u32(position);
    if (!view.holds(position, 12 + length)) return;
    const auto sum =
        static_cast<std::uint32_t>(crc32(0, png.data() + position + 4, static_cast<unsigned>(length + 4)));
    for (unsigned i = 0; i < 4; ++i)
      png[position + 8 + length + i] = static_cast<std::uint8_t>(sum >> (24U - 8U * i));
    position += 12 + length;
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  const std::size_t mutated = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 8 != 0) repair_checksums({data, mutated});
  return mutated;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  headstart::DecodeOptions options{
      .alpha = size % 2 == 0 ? headstart::Alpha::kWhite : headstart::Alpha::kDrop, .max_pixels = kMaxPixels};
  if (size % 3 == 0) options.range = headstart::SampleRange{1.0, 99.0, true};
  const auto result = headstart::decode_image(std::as_bytes(std::span(data, size)), options);
  if (const auto* reject = std::get_if<headstart::Reject>(&result)) {
    expect(!reject->reason.empty(), "a reject has a reason");
    expect(reject->reason == headstart::printable(reject->reason), "a reason can be printed");
    return 0;
  }
  const auto& [image, note] = std::get<headstart::DecodedImage>(result);
  expect(image.height > 0 && image.width > 0, "an image has pixels");
  const auto pixels = static_cast<std::uint64_t>(image.height) * static_cast<std::uint64_t>(image.width);
  expect(pixels <= kMaxPixels, "an image keeps to the limit");
  expect(image.pixels.size() == 3 * pixels, "a pixel has three values");
  expect(note == headstart::printable(note), "a note can be printed");
  return 0;
}
