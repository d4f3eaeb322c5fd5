// features/cache/row_gathering.cpp
#include "features/cache/row_gathering.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace headstart {
namespace {

/// Copies one row to the place that `to` already has for it.
void copy_row(const SparseRows& from, std::size_t from_row, SparseRows& to, std::size_t to_row) {
  const auto indices = from.row_indices(from_row);
  const auto values = from.row_values(from_row);
  const auto begin = static_cast<std::ptrdiff_t>(to.indptr[to_row]);
  std::copy(indices.begin(), indices.end(), to.indices.begin() + begin);
  std::copy(values.begin(), values.end(), to.values.begin() + begin);
}

bool is_there(const Sha256& key, const SegmentSet::Place& place, const Segment& segment) {
  const auto row = static_cast<std::size_t>(place.row);
  return row < segment.keys.size() && segment.keys[row] == key &&
         static_cast<std::int32_t>(segment.rows.row_indices(row).size()) == place.nonzeros;
}

}  // namespace

RowGathering::RowGathering(std::span<const Sha256> keys, std::vector<SegmentSet::Place> places,
                           std::int64_t columns)
    : keys_(keys), places_(std::move(places)), by_segment_(keys.size()) {
  rows_.columns = columns;
  rows_.indptr.reserve(keys.size() + 1);
  for (const SegmentSet::Place& place : places_) rows_.indptr.push_back(rows_.indptr.back() + place.nonzeros);
  rows_.indices.resize(static_cast<std::size_t>(rows_.indptr.back()));
  rows_.values.resize(rows_.indices.size());
  std::iota(by_segment_.begin(), by_segment_.end(), std::size_t{0});
  std::sort(by_segment_.begin(), by_segment_.end(),
            [this](std::size_t a, std::size_t b) { return places_[a].segment < places_[b].segment; });
}

std::vector<std::int32_t> RowGathering::segments() const {
  std::vector<std::int32_t> segments;
  for (const std::size_t position : by_segment_) {
    const std::int32_t segment = places_[position].segment;
    if (segments.empty() || segments.back() != segment) segments.push_back(segment);
  }
  return segments;
}

bool RowGathering::take(std::int32_t number, const Segment& segment) {
  const auto before = [this](std::size_t position, std::int32_t wanted) {
    return places_[position].segment < wanted;
  };
  for (auto at = std::lower_bound(by_segment_.begin(), by_segment_.end(), number, before);
       at != by_segment_.end() && places_[*at].segment == number; ++at) {
    const SegmentSet::Place& place = places_[*at];
    if (!is_there(keys_[*at], place, segment)) return false;
    copy_row(segment.rows, static_cast<std::size_t>(place.row), rows_, *at);
  }
  return true;
}

}  // namespace headstart
