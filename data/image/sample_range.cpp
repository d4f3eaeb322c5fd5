// data/image/sample_range.cpp
#include "data/image/sample_range.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <utility>

namespace headstart {
namespace {

/// The number in `text`, without the percent sign.
std::optional<double> bound(std::string_view text, bool percent) {
  if (percent) text.remove_suffix(1);
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  if (value < 0.0 || value > (percent ? 100.0 : 65535.0)) return std::nullopt;
  return value;
}

/// Calls `use` for each sample except alpha.
template <typename Use>
void for_each_colour(const WideSamples& samples, const Use& use) {
  const std::size_t colours = samples.channels - (samples.has_alpha ? 1U : 0U);
  for (std::size_t i = 0; i + samples.channels <= samples.values.size(); i += samples.channels) {
    for (std::size_t channel = 0; channel < colours; ++channel) use(samples.values[i + channel]);
  }
}

/// The smallest values with at least range.low and range.high percent of the colours at or below them.
std::pair<double, double> percentiles(const WideSamples& samples, const SampleRange& range) {
  std::vector<std::uint64_t> counts(65536);
  for_each_colour(samples, [&](std::uint16_t value) { ++counts[value]; });
  std::uint64_t total = 0;
  for (const std::uint64_t count : counts) total += count;
  const auto at = [&](double percent) {
    const double needed = std::max(1.0, std::ceil(static_cast<double>(total) * percent / 100.0));
    std::uint64_t sum = 0;
    for (std::size_t value = 0; value < counts.size(); ++value) {
      sum += counts[value];
      if (static_cast<double>(sum) >= needed) return static_cast<double>(value);
    }
    return 0.0;
  };
  return {at(range.low), at(range.high)};
}

/// A table: `low` and below become 0, `high` and above 255, values between in proportion, rounded to nearest.
std::vector<std::uint8_t> table_between(double low, double high, std::size_t values) {
  std::vector<std::uint8_t> table(values);
  for (std::size_t value = 0; value < values; ++value) {
    const double distance = static_cast<double>(value) - low;
    const double share = distance <= 0.0 ? 0.0 : std::min(1.0, distance / (high - low));
    table[value] = static_cast<std::uint8_t>(std::lround(share * 255.0));
  }
  return table;
}

bool uses_less_than_a_quarter(const WideSamples& samples, std::size_t values) {
  std::size_t brightest = 0;
  for_each_colour(samples, [&](std::uint16_t value) { brightest = std::max<std::size_t>(brightest, value); });
  return brightest > 0 && brightest < values / 4;
}

}  // namespace

std::optional<SampleRange> parse_sample_range(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view first = text.substr(0, colon);
  const std::string_view second = text.substr(colon + 1);
  const bool percent = second.ends_with('%');
  if (first.ends_with('%') != percent) return std::nullopt;
  const std::optional<double> low = bound(first, percent);
  const std::optional<double> high = bound(second, percent);
  if (!low || !high || *low >= *high) return std::nullopt;
  return SampleRange{*low, *high, percent};
}

std::string to_string(const SampleRange& range) {
  const char* const sign = range.percent ? "%" : "";
  return fmt::format("{}{}:{}{}", range.low, sign, range.high, sign);
}

std::vector<std::uint8_t> high_bytes(unsigned bits) {
  std::vector<std::uint8_t> table(std::size_t{1} << bits);
  for (std::size_t value = 0; value < table.size(); ++value)
    table[value] = static_cast<std::uint8_t>(value >> (bits - 8U));
  return table;
}

NarrowedSamples narrow(const WideSamples& samples, std::span<const std::uint8_t> usual,
                       const std::optional<SampleRange>& range) {
  NarrowedSamples narrowed;
  std::vector<std::uint8_t> mapped;
  if (range) {
    const auto [low, high] =
        range->percent ? percentiles(samples, *range) : std::pair(range->low, range->high);
    mapped = table_between(low, high, usual.size());
  } else if (uses_less_than_a_quarter(samples, usual.size())) {
    narrowed.note = kNarrowRangeNote;
  }
  const std::span<const std::uint8_t> colours = range ? std::span<const std::uint8_t>(mapped) : usual;
  narrowed.bytes.resize(samples.values.size());
  for (std::size_t i = 0; i < samples.values.size(); ++i) {
    const bool is_alpha = samples.has_alpha && i % samples.channels == samples.channels - 1;
    const std::span<const std::uint8_t> table = is_alpha ? usual : colours;
    narrowed.bytes[i] = table[std::min<std::size_t>(samples.values[i], table.size() - 1)];
  }
  return narrowed;
}

}  // namespace headstart
