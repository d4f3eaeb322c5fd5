// head/row_source.hpp: feature rows that are too many for memory: where they lie, and how to read some.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "head/feature_matrix.hpp"
#include "head/feature_rows.hpp"

namespace headstart {

/// Rows that are read when they are needed.
struct RowSource {
  std::int64_t columns = 0;
  /// [rows]: rows of one chunk lie together, and reading one of them costs about as much as reading all.
  std::span<const std::int32_t> chunks;
  /// How many rows are trained on while they are in memory; as many again are read ahead. Small windows
  /// shuffle less: rows meet only rows of chunks that share their window.
  std::size_t window = 0;
  /// The rows asked for, in that order. Called from one thread at a time, not always the same.
  std::function<FeatureMatrix(std::span<const RowIndex> rows)> read;
};

}  // namespace headstart
