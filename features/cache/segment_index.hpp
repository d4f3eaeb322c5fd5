// features/cache/segment_index.hpp: CACHE/<fingerprint>/<tap>/index: the verified segments and the rows that
// they hold. With the index, a cache of a million rows opens without reading its segments. The index is
// disposable: without it the segments are read. It decides where rows are looked for, not whether they are
// used. Loading a row always checks its segment's digest and its key.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/archive/file_stamp.hpp"
#include "data/sha256.hpp"
#include "features/cache/checked_file.hpp"

namespace headstart {

/// A verified segment file.
struct IndexedSegment {
  Sha256 digest;  ///< the digest in its name
  std::uint64_t bytes = 0;
  std::uint64_t inode = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;

  IndexedSegment() = default;
  /// The segment with that name. `stamp` is the stamp of its file at verification.
  IndexedSegment(const Sha256& name, const FileStamp& stamp) noexcept
      : digest(name),
        bytes(stamp.bytes),
        inode(stamp.inode),
        modified_ns(stamp.modified_ns),
        changed_ns(stamp.changed_ns) {}

  bool operator==(const IndexedSegment&) const = default;
};

/// The place of a key's row.
struct IndexedRow {
  Sha256 key;
  std::int32_t segment = 0;   ///< number in the index's order
  std::int32_t row = 0;       ///< in that segment
  std::int32_t nonzeros = 0;  ///< of that row

  bool operator==(const IndexedRow&) const = default;
};

/// The index of a tap folder, in memory.
class SegmentIndex {
 public:
  /// The file name of the index.
  static constexpr const char* kFile = "index";

  /// An empty index.
  SegmentIndex() = default;
  /// Reads the index of `folder`. An empty index if the file is missing or damaged.
  [[nodiscard]] static SegmentIndex read(const std::filesystem::path& folder);
  /// Replaces the index of `folder`. Sorts `rows`.
  /// @param segments  in the order of their names, each once
  /// @return nothing if all went well, else why not
  [[nodiscard]] static std::optional<std::string> write(const std::filesystem::path& folder,
                                                        std::span<const IndexedSegment> segments,
                                                        std::vector<IndexedRow> rows);

  /// All segments, in the index's order.
  [[nodiscard]] std::span<const IndexedSegment> segments() const noexcept { return segments_; }
  /// All rows, sorted by key and segment.
  [[nodiscard]] std::span<const IndexedRow> rows() const noexcept { return rows_; }
  /// The rows of one key: one for each segment that has it.
  [[nodiscard]] std::span<const IndexedRow> rows_of(const Sha256& key) const noexcept;

 private:
  std::optional<CheckedFile> file_;
  std::span<const IndexedSegment> segments_;  // of file_
  std::span<const IndexedRow> rows_;
};

}  // namespace headstart
