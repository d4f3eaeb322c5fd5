// features/cache/row_gathering.hpp: rows that lie in several segments, copied each to its place in one
// result. Every segment is taken once. Pure values: this code opens no file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "data/sha256.hpp"
#include "features/cache/segment.hpp"
#include "features/cache/segment_set.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// Gathers the rows of `keys`, in that order; keys may repeat.
class RowGathering {
 public:
  /// @param keys    must outlive this
  /// @param places  one for each key
  RowGathering(std::span<const Sha256> keys, std::vector<SegmentSet::Place> places, std::int64_t columns);

  /// The segments to take, ascending.
  [[nodiscard]] std::vector<std::int32_t> segments() const;
  /// Copies the rows that have a place in segment `number`.
  /// @return false if a row is not where its place says
  [[nodiscard]] bool take(std::int32_t number, const Segment& segment);
  /// All rows, once every segment is taken.
  [[nodiscard]] SparseRows& rows() noexcept { return rows_; }

 private:
  std::span<const Sha256> keys_;
  std::vector<SegmentSet::Place> places_;
  std::vector<std::size_t> by_segment_;  // positions in keys_
  SparseRows rows_;
};

}  // namespace headstart
