// features/cache/segment_index.cpp
#include "features/cache/segment_index.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace headstart {
namespace {

constexpr const char* kIndexKind = "headstart segment index 1";

bool sound(std::span<const IndexedSegment> segments, std::span<const IndexedRow> rows) {
  const auto no_later = [](const IndexedSegment& a, const IndexedSegment& b) {
    return !(a.digest < b.digest);
  };
  if (std::adjacent_find(segments.begin(), segments.end(), no_later) != segments.end()) return false;
  return std::all_of(rows.begin(), rows.end(), [&](const IndexedRow& row) {
    return row.segment >= 0 && static_cast<std::size_t>(row.segment) < segments.size() && row.row >= 0 &&
           row.nonzeros >= 0;
  });
}

}  // namespace

SegmentIndex SegmentIndex::read(const std::filesystem::path& folder) {
  SegmentIndex index;
  index.file_ = CheckedFile::read(folder / kFile, kIndexKind);
  if (!index.file_) return index;
  const auto segments = index.file_->section<IndexedSegment>(0);
  const auto rows = index.file_->section<IndexedRow>(1);
  if (!sound(segments, rows)) return {};
  index.segments_ = segments;
  index.rows_ = rows;
  return index;
}

std::optional<std::string> SegmentIndex::write(const std::filesystem::path& folder,
                                               std::span<const IndexedSegment> segments,
                                               std::vector<IndexedRow> rows) {
  std::sort(rows.begin(), rows.end(), [](const IndexedRow& a, const IndexedRow& b) {
    return std::tie(a.key, a.segment, a.row) < std::tie(b.key, b.segment, b.row);
  });
  const std::array sections{std::as_bytes(segments), std::as_bytes(std::span<const IndexedRow>(rows))};
  return CheckedFile::write(folder / kFile, kIndexKind, sections);
}

std::span<const IndexedRow> SegmentIndex::rows_of(const Sha256& key) const noexcept {
  const auto less = [](const IndexedRow& row, const Sha256& wanted) { return row.key < wanted; };
  const auto first = std::lower_bound(rows_.begin(), rows_.end(), key, less);
  auto last = first;
  while (last != rows_.end() && last->key == key) ++last;
  return {first, last};
}

}  // namespace headstart
