// pipeline/options/quantities.cpp
#include "pipeline/options/quantities.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace headstart {
namespace {

struct Quantity {
  double number;
  std::string_view unit;
};

std::optional<Quantity> split(std::string_view text) {
  double number = 0.0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || !(number >= 0.0) || !std::isfinite(number)) return std::nullopt;
  return Quantity{number, text.substr(static_cast<std::size_t>(end - text.data()))};
}

template <typename Units>
std::optional<double> in_units(std::string_view text, const Units& units) {
  const std::optional<Quantity> quantity = split(text);
  if (!quantity) return std::nullopt;
  for (const auto& [unit, factor] : units) {
    if (quantity->unit == unit && quantity->number * factor < 1e18) return quantity->number * factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 5> kUnits{
      {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}, {"w", 604'800}}};
  const std::optional<double> seconds = in_units(text, kUnits);
  return seconds ? std::optional(static_cast<std::int64_t>(*seconds)) : std::nullopt;
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 10> kUnits{{{"", 1},
                                                                               {"B", 1},
                                                                               {"K", 1e3},
                                                                               {"kB", 1e3},
                                                                               {"KB", 1e3},
                                                                               {"M", 1e6},
                                                                               {"MB", 1e6},
                                                                               {"G", 1e9},
                                                                               {"GB", 1e9},
                                                                               {"TB", 1e12}}};
  const std::optional<double> bytes = in_units(text, kUnits);
  return bytes ? std::optional(static_cast<std::uint64_t>(*bytes)) : std::nullopt;
}

}  // namespace headstart
