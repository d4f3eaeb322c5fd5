// data/sample_range.hpp: from samples of more than eight bits to bytes. What a format usually does is the
// caller's table; --range maps another range to 0..255.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace headstart {

/// What becomes black and what becomes white: values of the file, or percentiles of an image's own samples.
struct SampleRange {
  double low = 0.0;
  double high = 0.0;
  bool percent = false;

  bool operator==(const SampleRange&) const = default;
};

/// "0:4095" or "1%:99.5%", low below high. Nothing for anything else.
[[nodiscard]] std::optional<SampleRange> parse_sample_range(std::string_view text);
/// What parse_sample_range() reads as the same range.
[[nodiscard]] std::string to_string(const SampleRange& range);

/// The note of an image whose colours are all below a quarter of white, and not all black.
inline constexpr std::string_view kNarrowRangeNote = "uses less than a quarter of its range";

/// Interleaved samples of more than eight bits, as they are stored.
struct WideSamples {
  std::vector<std::uint16_t> values;
  unsigned channels = 1;
  bool has_alpha = false;  ///< in the last channel, which no range maps
};

/// Samples of one byte each, and what is to be said of them.
struct NarrowedSamples {
  std::vector<std::uint8_t> bytes;
  std::string note;  ///< kNarrowRangeNote or empty
};

/// The bytes of a format whose white is 2^bits - 1: the high eight bits.
[[nodiscard]] std::vector<std::uint8_t> high_bytes(unsigned bits);

/// @param usual  the byte of each value from 0 to white; what every sample becomes where there is no range
[[nodiscard]] NarrowedSamples narrow(const WideSamples& samples, std::span<const std::uint8_t> usual,
                                     const std::optional<SampleRange>& range);

}  // namespace headstart
