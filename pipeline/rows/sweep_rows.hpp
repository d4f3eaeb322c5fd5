// pipeline/rows/sweep_rows.hpp: the rows of a search, in several poolings. The stored rows are read once, a
// part at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>

#include "head/cancellation.hpp"
#include "head/representation/representation.hpp"
#include "head/training/row_source.hpp"
#include "memory/dense_rows.hpp"
#include "memory/sparse_rows.hpp"
#include "pipeline/rows/stored_rows.hpp"

namespace headstart {

struct SweepRows {
  SparseRows flattened;  ///< empty if they were not asked for, or if a source reads them
  std::optional<RowSource> source{};
  std::int64_t nonzeros = 0;  ///< of all flattened rows
  std::map<Pooling, DenseRows> pooled;
};

/// @param stored    must outlive the result if it has a source
/// @param poolings  may name one more than once
/// @param window    flattened rows in memory at a time; 0: all
/// @param folder    for pooled rows that are not in memory (pooled_memory.hpp); empty: they are
/// @throws the errors of stored.read() and of make_pooled_rows(); Cancelled
[[nodiscard]] SweepRows read_sweep_rows(const StoredRows& stored, std::span<const Pooling> poolings,
                                        std::size_t window, const std::filesystem::path& folder,
                                        const Cancellation& cancellation);

/// The bytes of the rows: 8 for each entry of flattened rows, 4 for each feature of pooled ones.
/// @param rows      how many
/// @param nonzeros  of their maps
[[nodiscard]] std::int64_t sweep_rows_bytes(std::int64_t rows, std::int64_t nonzeros, std::int64_t channels,
                                            std::span<const Pooling> poolings);

}  // namespace headstart
