// data/dataset/shard.hpp: one of N parts of a dataset, for machines that share the work without
// communication. Invariant: shards 0 .. N-1 of any dataset contain each sample once. The shard of a sample
// depends only on its path, so adding or removing images leaves the other samples where they are.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "data/dataset/manifest.hpp"

namespace headstart {

/// Shard `index` of `count`; the default is the whole dataset.
struct Shard {
  std::uint64_t index = 0;  ///< below count
  std::uint64_t count = 1;

  bool operator==(const Shard&) const = default;
  /// Whether it is the only shard.
  [[nodiscard]] bool is_whole() const noexcept { return count == 1; }
  /// Whether `path` (a Sample::path) belongs to this shard. The first eight bytes of its SHA-256, as a
  /// big-endian number, leave the remainder `index` when divided by `count`.
  [[nodiscard]] bool holds(std::string_view path) const;
};

/// "3/8" (0/8 to 7/8), or "none" for the whole dataset. Empty for any other text.
[[nodiscard]] std::optional<Shard> parse_shard(std::string_view text);
/// A number of a shard or of shards; empty for another text, or for one that is too large.
[[nodiscard]] std::optional<std::uint64_t> parse_shard_number(std::string_view text);

/// Removes the samples of other shards from `manifest`; classes and labels stay those of the whole dataset.
void keep_shard(Manifest& manifest, const Shard& shard);

}  // namespace headstart
