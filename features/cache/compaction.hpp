// features/cache/compaction.hpp: merges many segments into few: chooses segments, makes a plan, and carries
// it out.
//
// Invariant: a segment is unlinked only if every row of it is on disk in a verified segment of a higher
// generation. So of all segments that ever held a row, one of the highest generation is never unlinked. This
// holds even if other processes compact, die or run out of disk meanwhile. The lock of the folder only saves
// work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/archive/file_stamp.hpp"
#include "data/sha256.hpp"
#include "features/cache/segment.hpp"
#include "features/cache/segment_files.hpp"
#include "features/cache/segment_folder.hpp"
#include "features/cache/segment_set.hpp"

namespace headstart {

/// The points of a compaction at which another process, a kill or a test may interfere.
enum class CompactionPoint { kBeforePublish, kBeforeVerify, kBeforeUnlink, kBetweenUnlinks };

/// How to compact. Only tests change the defaults.
struct CompactionSettings {
  /// A merged segment is closed when its activations reach this size. Files below half of it are small.
  std::size_t merged_bytes = std::size_t{64} << 20;
  /// False: behave as on a file system that can't lock.
  bool lock = true;
  /// Called when a point is reached.
  std::function<void(CompactionPoint)> reached = [](CompactionPoint) {};

  /// Files with fewer bytes are worth merging.
  [[nodiscard]] std::uint64_t small_bytes() const noexcept { return merged_bytes / 2; }
};

/// The segments of `table` that are small, or share a key with another one; sorted by name. Large segments
/// that share a key are merged, too. Otherwise the name of a merged segment would decide anew which of the
/// two rows counts.
[[nodiscard]] std::vector<Sha256> segments_to_merge(const SegmentTable& table, std::uint64_t small_bytes);

/// A verified segment that may be merged.
struct SourceSegment {
  Sha256 digest;
  std::uint64_t bytes = 0;
  SegmentHeader header;
};

/// Whether `table` agrees with the header of each source.
[[nodiscard]] bool tells_truth(const SegmentTable& table, const std::vector<SourceSegment>& sources);

/// Which segments to publish, and which sources they replace.
struct CompactionPlan {
  /// A row of a source.
  struct Row {
    std::int32_t source = 0;  ///< index in `sources`
    std::int32_t row = 0;     ///< of that source
  };
  /// A segment to be published.
  struct Merged {
    SegmentOrigin origin;
    std::vector<Row> rows;
  };
  std::vector<SourceSegment> sources;  ///< by name
  std::vector<Merged> merged;
  std::int32_t generation = 0;  ///< of all merged segments: higher than that of every source
};

/// Takes every key of `sources` once: the row that counts, from the source whose name sorts first. Rows of
/// different engines stay in different segments. Segments that merging would not change are left out.
/// @param sources  of one tap, shape and storage
[[nodiscard]] CompactionPlan plan_compaction(std::vector<SourceSegment> sources, std::size_t merged_bytes);

/// The result of carry_out().
struct CompactionOutcome {
  /// A merged segment that is on disk.
  struct Published {
    Sha256 digest;
    FileStamp stamp;
    SegmentHeader header;
  };
  /// A source that could not be read any more.
  struct Lost {
    Sha256 digest;
    FileStamp stamp;  ///< from before the source was read
    SegmentFault fault;
  };
  std::vector<Published> published;    ///< segments that are published and verified
  std::vector<Sha256> unlinked;        ///< sources that are gone now
  std::vector<Lost> lost;              ///< sources that could not be read any more
  std::optional<std::string> failure;  ///< why only a part of the plan was carried out
};

/// Publishes each merged segment, reads it back and verifies it. Then unlinks the sources whose rows are all
/// in it. A source that no longer exists is left out. After a failure, unlinks only the sources that were
/// replaced before.
[[nodiscard]] CompactionOutcome carry_out(const CompactionPlan& plan, SegmentFolder& folder,
                                          const CompactionSettings& settings);

}  // namespace headstart
