// features/lower_taps.hpp: what a row that some caches lack can be computed from instead of from its image:
// its activations at a lower tap, if they are cached. All that a row lacks is computed in one pass, which
// begins at the nearest cached tap below all of it. Surprise: a cache below is opened only when a row is
// missing above it, because opening one may cost more than a run that finds everything. And none serves where
// rows are stored as float16: what is computed from a rounded row is not what is computed from its image, and
// a row must not depend on what was cached when it was made.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "data/sha256.hpp"
#include "features/cache.hpp"
#include "features/vgg16.hpp"

namespace headstart {

/// Which of the caches (by position) are meant; there is at most one for each tap.
using CacheSet = std::bitset<kAllTaps.size()>;

/// The cache of a tap that nobody asked for, opened at the first call for it and kept; null: there is none.
using LowerCache = std::function<FeatureCache*(Tap)>;

/// How many rows each tap gave.
using RowsOfTaps = std::array<std::size_t, kAllTaps.size()>;

/// What the caches say of a row.
struct RowLookup {
  CacheSet lacking;
  std::optional<Tap> from;  ///< the tap to compute what is lacking from; none: from the image
};

/// Finds rows at the taps below those that are to be filled.
class LowerTaps {
 public:
  /// @param caches  that are to be filled; one that has a row may serve those above it
  /// @param lower   finds the caches of other taps; empty: there are none
  LowerTaps(std::span<FeatureCache* const> caches, LowerCache lower);

  /// Which caches lack the row of `key`, and what it can be computed from.
  [[nodiscard]] RowLookup look_up(const Sha256& key) const;

  /// Takes one row of those that are read; false: no more.
  using TakeRow = std::function<bool(std::size_t position, std::span<const float> activations)>;
  /// Reads the rows of `keys` at `tap`, segment by segment, so that one is read once and memory holds no more
  /// than one. @param keys  which look_up() said are there
  /// @return the positions in `keys` that are not there any more: their segment is gone or damaged
  [[nodiscard]] std::vector<std::size_t> read(Tap tap, std::span<const Sha256> keys, const TakeRow& take);

 private:
  [[nodiscard]] FeatureCache* cache_of(Tap tap) const;

  std::vector<FeatureCache*> caches_;
  LowerCache lower_;
};

}  // namespace headstart
