// head/training/row_source.hpp: feature rows that do not fit in memory: where they are stored, and how to
// read some of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "memory/sparse_rows.hpp"

namespace headstart {

/// Rows that are read when they are needed.
struct RowSource {
  std::int64_t columns = 0;
  /// [rows]: rows of one chunk are stored together. Reading one row of a chunk costs about as much as reading
  /// all.
  std::span<const std::int32_t> chunks;
  /// How many rows are in memory for training; as many again are read ahead. Small windows shuffle less: a
  /// row meets only rows of the chunks in its window.
  std::size_t window = 0;
  /// Reads `rows`, in that order. Called from one thread at a time, not always from the same one.
  std::function<SparseRows(std::span<const RowIndex> rows)> read;
};

}  // namespace headstart
