// data/image/sample_range.hpp: converts samples of more than eight bits to bytes. The caller's table holds
// the usual conversion of a format; --range maps another range to 0..255.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace headstart {

/// The values that become black and white: values of the file, or percentiles of the image's own samples.
struct SampleRange {
  double low = 0.0;
  double high = 0.0;
  bool percent = false;

  bool operator==(const SampleRange&) const = default;
};

/// Reads "0:4095" or "1%:99.5%", with low below high. Nothing for any other text.
[[nodiscard]] std::optional<SampleRange> parse_sample_range(std::string_view text);
/// The text that parse_sample_range() reads as the same range.
[[nodiscard]] std::string to_string(const SampleRange& range);

/// The note of an image whose colours are all below a quarter of white, but not all black.
inline constexpr std::string_view kNarrowRangeNote = "uses less than a quarter of its range";

/// Interleaved samples of more than eight bits, as they are stored.
struct WideSamples {
  std::vector<std::uint16_t> values;
  unsigned channels = 1;
  bool has_alpha = false;  ///< in the last channel, which --range never changes
};

/// Samples of one byte each, with a note about them.
struct NarrowedSamples {
  std::vector<std::uint8_t> bytes;
  std::string note;  ///< kNarrowRangeNote or empty
};

/// For each value of a format whose white is 2^bits - 1: its high eight bits.
[[nodiscard]] std::vector<std::uint8_t> high_bytes(unsigned bits);

/// Converts `samples`. @param usual  the byte for each value from 0 to white, used if there is no range
[[nodiscard]] NarrowedSamples narrow(const WideSamples& samples, std::span<const std::uint8_t> usual,
                                     const std::optional<SampleRange>& range);

}  // namespace headstart
