// pipeline/options/stage_one_options.cpp
#include "pipeline/options/stage_one_options.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace headstart {

bool RejectLimit::exceeded(std::size_t rejected, std::size_t total) const noexcept {
  const auto count = static_cast<double>(rejected);
  return percent ? count * 100.0 > value * static_cast<double>(total) : count > value;
}

std::optional<RejectLimit> parse_reject_limit(const std::string& text) {
  RejectLimit limit;
  limit.percent = !text.empty() && text.back() == '%';
  const char* end = text.data() + text.size() - (limit.percent ? 1 : 0);
  const auto [rest, error] = std::from_chars(text.data(), end, limit.value);
  if (error != std::errc{} || rest != end || !std::isfinite(limit.value) || limit.value < 0.0)
    return std::nullopt;
  if (limit.percent ? limit.value > 100.0 : std::floor(limit.value) != limit.value) return std::nullopt;
  return limit;
}

std::string to_string(const RejectLimit& limit) {
  return fmt::format("{}{}", limit.value, limit.percent ? "%" : "");
}

DiscoveryOptions discovery_options(const ImageOptions& images, int min_classes) {
  return {.min_classes = min_classes,
          .outside_paths = images.outside_paths,
          .encoding = images.encoding,
          .splits = images.splits};
}

}  // namespace headstart
