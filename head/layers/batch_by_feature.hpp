// head/layers/batch_by_feature.hpp: a batch's entries listed under their features (the batch transposed), as
// the gradient of a row of W needs them. Invariant: a feature's entries are in batch order for any number of
// threads. A row that is in the batch twice counts twice.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "head/layers/primal_kernel.hpp"
#include "head/layers/tiled_rows.hpp"
#include "head/workers.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

class BatchByFeature {
 public:
  /// Replaces the batch. The memory of the last batch is used again.
  void assign(const TiledRows& matrix, std::span<const RowIndex> batch, Workers& workers);

  /// [columns + 1]: feature i has entries()[offsets()[i] .. offsets()[i + 1]).
  [[nodiscard]] std::span<const std::int64_t> offsets() const noexcept { return offsets_; }
  [[nodiscard]] std::span<const BatchEntry> entries() const noexcept { return entries_; }

 private:
  void assign_tile(const TiledRows& matrix, std::span<const RowIndex> batch, std::size_t tile,
                   std::int64_t begin);

  std::vector<std::int64_t> offsets_;
  std::vector<BatchEntry> entries_;
};

}  // namespace headstart
