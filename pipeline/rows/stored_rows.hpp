// pipeline/rows/stored_rows.hpp: a run's feature rows by number, from the cache or from a features.h5.
// Training works the same with both.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "data/sha256.hpp"
#include "features/cache/cache.hpp"
#include "features/network/network.hpp"
#include "memory/sparse_rows.hpp"
#include "pipeline/rows/stage_one.hpp"

namespace headstart {

/// Where rows are stored, and how to read some of them.
struct StoredRows {
  std::size_t count = 0;
  MapShape shape;               ///< of each row's map
  FeatureCache::Layout layout;  ///< the sizes of the rows, and which are stored together
  std::string place;            ///< the name of the place for the user: "the cache"
  /// Reads the rows in the order of the argument. Called from one thread at a time.
  std::function<SparseRows(std::span<const RowIndex>)> read;
};

/// The cached rows of `keys`; `stage_one` and `keys` have to outlive the result.
[[nodiscard]] StoredRows cached_rows(StageOne& stage_one, std::span<const Sha256> keys);

}  // namespace headstart
