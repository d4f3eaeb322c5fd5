// data/shard.hpp: one of N parts of a dataset, for machines that share it without talking to each other.
// Invariant: shards 0 .. N-1 of any dataset have each sample once. Which one depends on the sample's path
// alone, so that images that come or go leave the others where they are.
#pragma once

#include <cstdint>
#include <string_view>

#include "data/manifest.hpp"

namespace headstart {

/// Shard `index` of `count`; the default is the whole.
struct Shard {
  std::uint64_t index = 0;  ///< below count
  std::uint64_t count = 1;

  bool operator==(const Shard&) const = default;
  /// Whether it is the only one.
  [[nodiscard]] bool is_whole() const noexcept { return count == 1; }
  /// Whether `path`, as Sample::path has it, belongs here: the first eight bytes of its SHA-256, taken as a
  /// big-endian number, leave the remainder `index` when divided by `count`.
  [[nodiscard]] bool holds(std::string_view path) const;
};

/// Takes the samples of other shards out of `manifest`; classes and labels stay those of the whole.
void keep_shard(Manifest& manifest, const Shard& shard);

}  // namespace headstart
