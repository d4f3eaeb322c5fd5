// features/cache/compaction_plan.hpp: which segments to merge, into which, and which of them may then go.
// Pure values: this code opens no file.
//
// Invariant: a segment may go only if every row of it is on disk in a verified segment of a higher
// generation. So of all segments that ever held a row, one of the highest generation never goes. This holds
// even if other processes compact, die or run out of disk meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "data/archive/file_stamp.hpp"
#include "data/sha256.hpp"
#include "features/cache/segment.hpp"
#include "features/cache/segment_set.hpp"

namespace headstart {

/// The segments of `table` that are small, or share a key with another one; sorted by name. Large segments
/// that share a key are merged, too. Otherwise the name of a merged segment would decide anew which of the
/// two rows counts.
[[nodiscard]] std::vector<Sha256> segments_to_merge(const SegmentTable& table, std::uint64_t small_bytes);

/// A verified segment that may be merged.
struct SourceSegment {
  Sha256 digest;
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

/// A merged segment that is on disk and verified.
struct MergedSegment {
  Sha256 digest;
  FileStamp stamp;
  SegmentHeader header;
};

/// Unlinks the sources whose rows are all in `merged` in a higher generation, the last name first. A source
/// that stays also keeps the sources before it that share a key with it. Otherwise the row of the source that
/// stays would begin to count.
/// @param sources  by name
/// @param unlink   removes a segment; returns whether it is gone
/// @return the sources that are gone
std::vector<Sha256> unlink_replaced(std::span<const SourceSegment> sources,
                                    std::span<const MergedSegment> merged,
                                    const std::function<bool(const Sha256&)>& unlink);

}  // namespace headstart
