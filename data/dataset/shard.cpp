// data/dataset/shard.cpp
#include "data/dataset/shard.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>
#include <system_error>

#include "data/sha256.hpp"

namespace headstart {

bool Shard::holds(std::string_view path) const {
  if (is_whole()) return true;
  const Sha256 digest = sha256(path);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) number = number << 8U | digest.bytes[i];
  return number % count == index;
}

std::optional<std::uint64_t> parse_shard_number(std::string_view text) {
  constexpr std::uint64_t kMostShards = std::numeric_limits<std::uint32_t>::max();
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || rest != text.data() + text.size() || number > kMostShards) return std::nullopt;
  return number;
}

std::optional<Shard> parse_shard(std::string_view text) {
  if (text == "none") return Shard{};
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto index = parse_shard_number(text.substr(0, slash));
  const auto count = parse_shard_number(text.substr(slash + 1));
  if (!index || !count || *index >= *count) return std::nullopt;
  return Shard{*index, *count};
}

void keep_shard(Manifest& manifest, const Shard& shard) {
  std::erase_if(manifest.samples, [&](const Sample& sample) { return !shard.holds(sample.path); });
}

}  // namespace headstart
