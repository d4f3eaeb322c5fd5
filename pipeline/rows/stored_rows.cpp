// pipeline/rows/stored_rows.cpp
#include "pipeline/rows/stored_rows.hpp"

#include <vector>

namespace headstart {

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
