// features/extraction/lower_taps.hpp: computes missing rows from a lower tap (nearer to the image) instead of
// from the image, if the activations there are cached. All missing taps of a row are computed in one pass.
// The pass begins at the nearest cached tap below all of them. Note: a lower cache is opened only when a row
// above it is missing. Opening a cache may cost more than a run that finds everything. Note: no lower cache
// is used where rows are stored as float16. A row that is computed from a rounded row differs from one
// computed from its image. But a row must not depend on what was cached before.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/sha256.hpp"
#include "features/cache/cache.hpp"
#include "features/network/network.hpp"

namespace headstart {

/// For each of the caches, whether it is in the set.
using CacheSet = std::vector<bool>;

/// The cache of a tap that was not requested. Opened at the first call for the tap and kept; null: there is
/// none.
using LowerCache = std::function<FeatureCache*(const Tap&)>;

/// How many rows were computed from each tap, by its name. No entry: none.
using RowsOfTaps = std::map<std::string, std::size_t>;

/// The answer of the caches for one row.
struct RowLookup {
  CacheSet lacking;         ///< the caches without the row
  std::optional<Tap> from;  ///< the tap from which the missing taps can be computed; none: the image

  /// Whether every cache has the row.
  [[nodiscard]] bool complete() const {
    return std::find(lacking.begin(), lacking.end(), true) == lacking.end();
  }
};

/// Finds rows at the taps below the requested ones.
class LowerTaps {
 public:
  /// @param caches  the caches to fill; a cache that has a row may serve the taps above it
  /// @param lower   finds the caches of other taps; empty: there are none
  LowerTaps(std::span<FeatureCache* const> caches, LowerCache lower);

  /// The caches that lack the row of `key`, and the tap from which it can be computed.
  [[nodiscard]] RowLookup look_up(const Sha256& key) const;

  /// Takes one row that was read; returns false to stop.
  using TakeRow = std::function<bool(std::size_t position, std::span<const float> activations)>;
  /// Reads the rows of `keys` at `tap`, segment by segment. Each segment is read once, and memory holds at
  /// most one segment. @param keys  keys that look_up() found
  /// @return the positions in `keys` whose rows are gone: their segment is missing or damaged
  [[nodiscard]] std::vector<std::size_t> read(const Tap& tap, std::span<const Sha256> keys,
                                              const TakeRow& take);

 private:
  [[nodiscard]] FeatureCache* cache_of(const Tap& tap) const;

  std::vector<FeatureCache*> caches_;  // of one network
  LowerCache lower_;
};

}  // namespace headstart
