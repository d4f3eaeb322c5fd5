// pipeline/rows/stored_rows.cpp
#include "pipeline/rows/stored_rows.hpp"

#include <algorithm>
#include <vector>

#include "head/representation/dense_representation.hpp"

namespace headstart {
namespace {

constexpr std::int64_t kStoredPartBytes = std::int64_t{256} << 20;  // of rows read at once
constexpr std::int64_t kStoredEntryBytes = 8;                       // index and value

}  // namespace

std::size_t rows_within(std::int64_t most, std::size_t rows, std::int64_t bytes) {
  const double share = static_cast<double>(most) / static_cast<double>(std::max<std::int64_t>(bytes, 1));
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::min(1.0, share) * static_cast<double>(rows)));
}

void in_parts(const StoredRows& stored, std::span<const RowIndex> rows,
              const std::function<void(std::span<const RowIndex> part)>& take) {
  const std::size_t part =
      rows_within(kStoredPartBytes, stored.count, kStoredEntryBytes * stored.layout.nonzeros);
  for (std::size_t first = 0; first < rows.size(); first += part)
    take(rows.subspan(first, std::min(part, rows.size() - first)));
}

void read_pooled(const StoredRows& stored, std::span<const RowIndex> rows, Pooling pooling,
                 std::span<float> pooled) {
  const auto channels = static_cast<std::size_t>(stored.shape.channels);
  if (stored.read_dense && stored.shape.size() == channels) return stored.read_dense(rows, pooled);
  std::size_t first = 0;
  in_parts(stored, rows, [&](std::span<const RowIndex> part) {
    pool_dense(stored.read(part).view(), stored.shape.channels, pooling, 0,
               pooled.subspan(first * channels, part.size() * channels));
    first += part.size();
  });
}

StoredRows cached_rows(StageOne& stage_one, std::span<const Sha256> keys) {
  return {.count = keys.size(),
          .shape = stage_one.map_shape(),
          .layout = stage_one.store().layout(keys),
          .place = "the cache",
          .read = [&stage_one, keys](std::span<const RowIndex> rows) {
            std::vector<Sha256> wanted;
            wanted.reserve(rows.size());
            for (const RowIndex row : rows) wanted.push_back(keys[static_cast<std::size_t>(row)]);
            return stage_one.features(wanted);
          }};
}

}  // namespace headstart
