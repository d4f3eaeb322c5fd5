// pipeline/rows/stored_rows.hpp: a run's feature rows by number, from the cache or from a features.h5.
// Training works the same with both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "data/sha256.hpp"
#include "features/cache/cache.hpp"
#include "features/network/network.hpp"
#include "head/representation/representation.hpp"
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
  /// Reads rows that are stored with their zeros, [rows, columns]; empty: they are stored without. Called as
  /// read().
  std::function<void(std::span<const RowIndex>, std::span<float>)> read_dense{};
};

/// How many of `rows` fit into `most` bytes, if all rows together take `bytes`; at least one.
[[nodiscard]] std::size_t rows_within(std::int64_t most, std::size_t rows, std::int64_t bytes);

/// Calls take(part) for one part of `rows` after another, each of at most 256 MB as it is stored.
void in_parts(const StoredRows& stored, std::span<const RowIndex> rows,
              const std::function<void(std::span<const RowIndex> part)>& take);

/// Reads rows and pools them, a part at a time, so that the maps are never in memory together.
/// @param pooling  any but kFlatten
/// @param pooled   [rows.size(), channels]; overwritten
void read_pooled(const StoredRows& stored, std::span<const RowIndex> rows, Pooling pooling,
                 std::span<float> pooled);

/// The cached rows of `keys`; `stage_one` and `keys` have to outlive the result.
[[nodiscard]] StoredRows cached_rows(StageOne& stage_one, std::span<const Sha256> keys);

}  // namespace headstart
