// pipeline/rows/sweep_rows.cpp
#include "pipeline/rows/sweep_rows.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "head/representation/dense_representation.hpp"
#include "pipeline/rows/pooled_memory.hpp"
#include "pipeline/rows/represented_rows.hpp"

namespace headstart {
SweepRows read_sweep_rows(const StoredRows& stored, std::span<const Pooling> asked, std::size_t window,
                          const std::filesystem::path& folder, const Cancellation& cancellation) {
  const std::set<Pooling> poolings(asked.begin(), asked.end());
  const bool flatten = poolings.contains(Pooling::kFlatten) && window == 0;
  const std::vector<RowIndex> all = all_rows(stored.count);
  SweepRows rows;
  rows.nonzeros = stored.layout.nonzeros;
  if (poolings.contains(Pooling::kFlatten) && window > 0) {
    rows.source = RowSource{static_cast<std::int64_t>(stored.shape.size()), stored.layout.segments, window,
                            stored.read};
  }
  for (const Pooling pooling : poolings) {
    if (is_dense(pooling)) {
      rows.pooled.emplace(pooling, make_pooled_rows(stored.count, stored.shape.channels, folder));
    }
  }
  if (!flatten && rows.pooled.size() == 1) {
    read_pooled(stored, all, rows.pooled.begin()->first, rows.pooled.begin()->second.values());
    return rows;
  }
  if (!flatten && rows.pooled.empty()) return rows;
  std::size_t first = 0;
  in_parts(stored, all, [&](std::span<const RowIndex> part) {
    cancellation.check();
    SparseRows maps = stored.read(part);
    const auto channels = static_cast<std::size_t>(stored.shape.channels);
    for (auto& [pooling, matrix] : rows.pooled) {
      pool_dense(maps.view(), stored.shape.channels, pooling, 0,
                 matrix.values().subspan(first * channels, part.size() * channels));
    }
    if (flatten) rows.flattened.append(std::move(maps));
    first += part.size();
  });
  return rows;
}

std::int64_t sweep_rows_bytes(std::int64_t rows, std::int64_t nonzeros, std::int64_t channels,
                              std::span<const Pooling> poolings) {
  std::int64_t bytes = 0;
  for (const Pooling pooling : std::set<Pooling>(poolings.begin(), poolings.end()))
    bytes += is_dense(pooling) ? 4 * rows * channels : 8 * nonzeros;
  return bytes;
}

}  // namespace headstart
