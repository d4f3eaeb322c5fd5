// pipeline/rows/sweep_rows.hpp: the rows of a search, in several poolings. The stored rows are read once, a
// part at a time.
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "head/cancellation.hpp"
#include "head/representation/representation.hpp"
#include "memory/dense_rows.hpp"
#include "memory/sparse_rows.hpp"
#include "pipeline/rows/stored_rows.hpp"

namespace headstart {

struct SweepRows {
  SparseRows flattened;  ///< empty if they were not asked for
  std::map<Pooling, DenseRows> pooled;
};

/// @param poolings  may name one more than once
/// @throws the errors of stored.read(); Cancelled
[[nodiscard]] SweepRows read_sweep_rows(const StoredRows& stored, std::span<const Pooling> poolings,
                                        const Cancellation& cancellation);

/// The bytes of the rows: 8 for each entry of flattened rows, 4 for each feature of pooled ones.
/// @param rows      how many
/// @param nonzeros  of their maps
[[nodiscard]] std::int64_t sweep_rows_bytes(std::int64_t rows, std::int64_t nonzeros, std::int64_t channels,
                                            std::span<const Pooling> poolings);

}  // namespace headstart
