// features/cache/segment_set.hpp: the segments of a tap's cache, the row that counts for each key, and its
// place. Pure values: this code opens no file. Note: entries from an index may be wrong; entries from add()
// were read from a verified segment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "data/sha256.hpp"
#include "features/cache/segment_index.hpp"

namespace headstart {

/// The segments on disk and their rows, in the form of an index file.
struct SegmentTable {
  std::vector<IndexedSegment> segments;  ///< sorted by name
  std::vector<IndexedRow> rows;          ///< in any order
};

/// A set of segments. They are numbered as they are added. A number is never used again, even when its
/// segment is dropped.
class SegmentSet {
 public:
  /// Where the bytes of a segment are.
  enum class Medium {
    kFile,
    kMemory,  ///< the segment could not be published
  };
  /// The place of a key's row.
  struct Place {
    std::int32_t segment = 0;
    std::int32_t row = 0;
    std::int32_t nonzeros = 0;
  };

  /// An empty set.
  SegmentSet() = default;
  /// The set of all segments and rows of `index`.
  explicit SegmentSet(SegmentIndex index);

  /// Adds a segment with these keys, as read from its verified header. A file that add() has already added is
  /// not added again. A file that only the index knew is replaced.
  /// @return its number
  std::int32_t add(const IndexedSegment& segment, Medium medium, std::span<const Sha256> keys,
                   std::span<const std::int32_t> nonzeros);
  /// Removes segments that are gone or can't be used.
  void drop(std::span<const std::int32_t> segments);

  /// Drops the segments that only the index knew, and forgets what it said of rows.
  void forget_index();

  /// How many numbers there are, including those of dropped segments.
  [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
  /// The segment of that number, dropped or not.
  [[nodiscard]] const IndexedSegment& segment(std::int32_t number) const { return member(number).segment; }
  /// Whether the segment of that number was not dropped.
  [[nodiscard]] bool usable(std::int32_t number) const { return member(number).usable; }
  /// The number of the usable segment file with that name.
  [[nodiscard]] std::optional<std::int32_t> file(const Sha256& digest) const;

  /// The place of a key's row. If a key has several rows, the segment with the smallest digest, and so the
  /// smallest name, wins. So all processes that see the same segments use the same rows.
  [[nodiscard]] std::optional<Place> find(const Sha256& key) const;
  /// How many keys have a row. Counts them on each call.
  [[nodiscard]] std::size_t keys() const;

  /// Whether an index file with table() would differ from the index with which this set began.
  [[nodiscard]] bool has_news() const;
  /// The table of the usable segments on disk.
  [[nodiscard]] SegmentTable table() const;
  /// How many usable segments on disk are smaller than `bytes`.
  [[nodiscard]] std::size_t files_below(std::uint64_t bytes) const;

 private:
  struct Member {
    IndexedSegment segment;
    Medium medium = Medium::kFile;
    bool usable = true;
  };

  [[nodiscard]] const Member& member(std::int32_t number) const {
    return members_[static_cast<std::size_t>(number)];
  }
  void count_row(const IndexedRow& row);

  SegmentIndex index_;  // its segments are members_[0], [1], ...
  std::vector<Member> members_;
  std::unordered_map<Sha256, std::int32_t> files_;  // the newest number of each name
  std::vector<IndexedRow> added_;                   // rows of usable segments that the index does not know
  std::unordered_map<Sha256, Place> of_added_;      // the winner of each key among added_
};

}  // namespace headstart
