// features/segment_index.hpp: CACHE/<fingerprint>/<tap>/index: which segments were there, verified, and which
// rows they hold, so that a cache of a million rows opens without reading them. Disposable: without it the
// segments are read. It decides what is found, never what is used: whoever loads a row checks its segment's
// digest and its key.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/file_stamp.hpp"
#include "data/sha256.hpp"
#include "features/checked_file.hpp"

namespace headstart {

/// A verified segment file.
struct IndexedSegment {
  Sha256 digest;  ///< in its name
  std::uint64_t bytes = 0;
  std::uint64_t inode = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;

  IndexedSegment() = default;
  /// The segment of that name, its file as it was when it was verified.
  IndexedSegment(const Sha256& name, const FileStamp& stamp) noexcept
      : digest(name),
        bytes(stamp.bytes),
        inode(stamp.inode),
        modified_ns(stamp.modified_ns),
        changed_ns(stamp.changed_ns) {}

  bool operator==(const IndexedSegment&) const = default;
};

/// Where a key's row is.
struct IndexedRow {
  Sha256 key;
  std::int32_t segment = 0;   ///< in the index's order
  std::int32_t row = 0;       ///< in that segment
  std::int32_t nonzeros = 0;  ///< of that row

  bool operator==(const IndexedRow&) const = default;
};

/// A tap folder's index in memory.
class SegmentIndex {
 public:
  /// The name of its file.
  static constexpr const char* kFile = "index";

  /// An empty one.
  SegmentIndex() = default;
  /// What `folder` has; an empty one if that is missing or damaged.
  [[nodiscard]] static SegmentIndex read(const std::filesystem::path& folder);
  /// Replaces what `folder` has. Sorts `rows`.
  /// @param segments  in the order of their names, each once
  /// @return nothing if all went well, else why not
  [[nodiscard]] static std::optional<std::string> write(const std::filesystem::path& folder,
                                                        std::span<const IndexedSegment> segments,
                                                        std::vector<IndexedRow> rows);

  /// All segments, in their order here.
  [[nodiscard]] std::span<const IndexedSegment> segments() const noexcept { return segments_; }
  /// All rows, by key and segment.
  [[nodiscard]] std::span<const IndexedRow> rows() const noexcept { return rows_; }
  /// The rows of one key: one for each segment that has it.
  [[nodiscard]] std::span<const IndexedRow> rows_of(const Sha256& key) const noexcept;

 private:
  std::optional<CheckedFile> file_;
  std::span<const IndexedSegment> segments_;  // of file_
  std::span<const IndexedRow> rows_;
};

}  // namespace headstart
