// features/cache/segment_set.cpp
#include "features/cache/segment_set.hpp"

#include <algorithm>
#include <utility>

namespace headstart {

SegmentSet::SegmentSet(SegmentIndex index) : index_(std::move(index)) {
  for (const IndexedSegment& segment : index_.segments()) {
    files_.insert_or_assign(segment.digest, static_cast<std::int32_t>(members_.size()));
    members_.push_back({segment, Medium::kFile, true});
  }
}

std::int32_t SegmentSet::add(const IndexedSegment& segment, Medium medium, std::span<const Sha256> keys,
                             std::span<const std::int32_t> nonzeros) {
  if (medium == Medium::kFile) {
    if (const std::optional<std::int32_t> there = file(segment.digest)) {
      if (static_cast<std::size_t>(*there) >= index_.segments().size()) return *there;
      drop({&*there, 1});  // its rows came only from the index
    }
  }
  const auto number = static_cast<std::int32_t>(members_.size());
  members_.push_back({segment, medium, true});
  if (medium == Medium::kFile) files_.insert_or_assign(segment.digest, number);
  for (std::size_t row = 0; row < keys.size(); ++row) {
    added_.push_back({keys[row], number, static_cast<std::int32_t>(row), nonzeros[row]});
    count_row(added_.back());
  }
  return number;
}

void SegmentSet::count_row(const IndexedRow& row) {
  const Place place{row.segment, row.row, row.nonzeros};
  const auto [at, is_new] = of_added_.try_emplace(row.key, place);
  if (!is_new && segment(row.segment).digest < segment(at->second.segment).digest) at->second = place;
}

void SegmentSet::drop(std::span<const std::int32_t> segments) {
  bool added = false;
  for (const std::int32_t number : segments) {
    members_[static_cast<std::size_t>(number)].usable = false;
    added |= static_cast<std::size_t>(number) >= index_.segments().size();
  }
  if (!added) return;
  of_added_.clear();
  std::erase_if(added_, [this](const IndexedRow& row) { return !usable(row.segment); });
  for (const IndexedRow& row : added_) count_row(row);
}

void SegmentSet::forget_index() {
  for (std::size_t number = 0; number < index_.segments().size(); ++number) members_[number].usable = false;
  index_ = {};
}

std::optional<std::int32_t> SegmentSet::file(const Sha256& digest) const {
  const auto found = files_.find(digest);
  if (found == files_.end() || !usable(found->second)) return std::nullopt;
  return found->second;
}

std::optional<SegmentSet::Place> SegmentSet::find(const Sha256& key) const {
  std::optional<Place> best;
  const auto consider = [&](const Place& place) {
    if (!usable(place.segment)) return;
    if (!best || segment(place.segment).digest < segment(best->segment).digest) best = place;
  };
  for (const IndexedRow& row : index_.rows_of(key)) consider({row.segment, row.row, row.nonzeros});
  if (const auto added = of_added_.find(key); added != of_added_.end()) consider(added->second);
  return best;
}

std::size_t SegmentSet::keys() const {
  std::size_t count = of_added_.size();
  const std::span<const IndexedRow> rows = index_.rows();
  for (std::size_t first = 0; first < rows.size();) {
    std::size_t end = first;
    bool is_usable = false;
    for (; end < rows.size() && rows[end].key == rows[first].key; ++end)
      is_usable |= usable(rows[end].segment);
    if (is_usable && !of_added_.contains(rows[first].key)) ++count;
    first = end;
  }
  return count;
}

bool SegmentSet::has_news() const {
  return members_.size() != index_.segments().size() ||
         !std::all_of(members_.begin(), members_.end(), [](const Member& member) { return member.usable; });
}

SegmentTable SegmentSet::table() const {
  std::vector<std::int32_t> order;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].usable && members_[i].medium == Medium::kFile)
      order.push_back(static_cast<std::int32_t>(i));
  }
  std::sort(order.begin(), order.end(),
            [this](std::int32_t a, std::int32_t b) { return segment(a).digest < segment(b).digest; });
  constexpr std::int32_t kNone = -1;
  std::vector<std::int32_t> number(members_.size(), kNone);
  SegmentTable table;
  for (const std::int32_t old : order) {
    number[static_cast<std::size_t>(old)] = static_cast<std::int32_t>(table.segments.size());
    table.segments.push_back(segment(old));
  }
  table.rows.reserve(index_.rows().size() + added_.size());
  const auto keep = [&](std::span<const IndexedRow> more) {
    for (IndexedRow row : more) {
      row.segment = number[static_cast<std::size_t>(row.segment)];
      if (row.segment != kNone) table.rows.push_back(row);
    }
  };
  keep(index_.rows());
  keep(added_);
  return table;
}

std::size_t SegmentSet::files_below(std::uint64_t bytes) const {
  return static_cast<std::size_t>(std::count_if(members_.begin(), members_.end(), [&](const Member& member) {
    return member.usable && member.medium == Medium::kFile && member.segment.bytes < bytes;
  }));
}

}  // namespace headstart
