// features/segment_set.hpp: which segments a tap's cache has, which row of a key counts, and where it lies.
// Pure values: no file is opened here. Surprise: what an index brought may be a lie; what add() brought was
// read from a verified segment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "data/sha256.hpp"
#include "features/segment_index.hpp"

namespace headstart {

/// The segments on disk and their rows, as an index file has them.
struct SegmentTable {
  std::vector<IndexedSegment> segments;  ///< by name
  std::vector<IndexedRow> rows;          ///< in any order
};

/// Segments are numbered as they come; a number stays that segment's, even when it is dropped.
class SegmentSet {
 public:
  /// Where the bytes of a segment are.
  enum class Medium {
    kFile,
    kMemory,  ///< it could not be published
  };
  /// Where the row of a key is.
  struct Place {
    std::int32_t segment = 0;
    std::int32_t row = 0;
    std::int32_t nonzeros = 0;
  };

  /// An empty one.
  SegmentSet() = default;
  /// What `index` says, all of it.
  explicit SegmentSet(SegmentIndex index);

  /// Adds a segment with these keys, as its verified header has them. A file that add() has seen already is
  /// not added again; one that only the index knew is replaced.
  /// @return its number
  std::int32_t add(const IndexedSegment& segment, Medium medium, std::span<const Sha256> keys,
                   std::span<const std::int32_t> nonzeros);
  /// Forgets segments that are gone or can't be used.
  void drop(std::span<const std::int32_t> segments);

  /// How many numbers there are, of dropped segments too.
  [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
  /// The segment of that number, dropped or not.
  [[nodiscard]] const IndexedSegment& segment(std::int32_t number) const { return member(number).segment; }
  /// Whether it is still there.
  [[nodiscard]] bool usable(std::int32_t number) const { return member(number).usable; }
  /// The usable segment file of that name.
  [[nodiscard]] std::optional<std::int32_t> file(const Sha256& digest) const;
  /// Whether some of what is here is only an index's word.
  [[nodiscard]] bool trusts_index() const noexcept { return !index_.segments().empty(); }

  /// For two rows of one key the segment with the smallest digest, and so the smallest name, wins: all
  /// processes that see the same segments use the same rows.
  [[nodiscard]] std::optional<Place> find(const Sha256& key) const;
  /// How many keys have a row; counts them.
  [[nodiscard]] std::size_t keys() const;

  /// Whether an index file with table() would say anything else than the index that this set began with.
  [[nodiscard]] bool has_news() const;
  /// Of the usable segments on disk.
  [[nodiscard]] SegmentTable table() const;
  /// Usable segments on disk that are smaller than `bytes`.
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
  std::vector<IndexedRow> added_;               // rows of the usable segments that the index does not know
  std::unordered_map<Sha256, Place> of_added_;  // the winners among them
};

}  // namespace headstart
