// pipeline/stored_rows.hpp: a run's feature rows by number, wherever they are kept: in the cache, or in a
// features.h5. What trains does not see the difference.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "data/sha256.hpp"
#include "features/cache.hpp"
#include "features/csr_rows.hpp"
#include "features/vgg16.hpp"
#include "head/feature_rows.hpp"
#include "pipeline/stage_one.hpp"

namespace headstart {

/// Where rows are, and how to get some.
struct StoredRows {
  std::size_t count = 0;
  MapShape shape;               ///< of each row's map
  FeatureCache::Layout layout;  ///< how large the rows are, and which lie together
  std::string place;            ///< "the cache": where a person is told that they are
  /// The rows asked for, in that order. Called from one thread at a time.
  std::function<CsrRows(std::span<const RowIndex>)> read;
};

/// The cached rows of `keys`; both have to outlive it.
[[nodiscard]] StoredRows cached_rows(StageOne& stage_one, std::span<const Sha256> keys);

}  // namespace headstart
