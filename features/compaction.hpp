// features/compaction.hpp: few segments instead of many: what is worth merging, the plan, and who carries it
// out.
//
// Invariant: a segment is unlinked only if every row of it stands on disk in a verified segment of a higher
// generation. So of all segments that ever held a row, one of the highest generation is never unlinked,
// whoever else compacts, dies or runs out of disk meanwhile. The lock of the folder only spares work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/file_stamp.hpp"
#include "data/sha256.hpp"
#include "features/segment.hpp"
#include "features/segment_files.hpp"
#include "features/segment_folder.hpp"
#include "features/segment_set.hpp"

namespace headstart {

/// Where a compaction can be when a rival, a kill or a test comes.
enum class CompactionPoint { kBeforePublish, kBeforeVerify, kBeforeUnlink, kBetweenUnlinks };

/// How to compact. The defaults are what everybody uses.
struct CompactionSettings {
  /// A merged segment is closed when its activations take so much. Files below half of it are small.
  std::size_t merged_bytes = std::size_t{64} << 20;
  /// False: as on a file system that can't lock.
  bool lock = true;
  /// Told when a point is reached.
  std::function<void(CompactionPoint)> reached = [](CompactionPoint) {};

  /// Files of fewer bytes are worth merging.
  [[nodiscard]] std::uint64_t small_bytes() const noexcept { return merged_bytes / 2; }
};

/// The segments of `table` that are small, or share a key with another one; by name. Large ones that share a
/// key are merged too, because the name of a merged one would decide anew which of the two rows counts.
[[nodiscard]] std::vector<Sha256> segments_to_merge(const SegmentTable& table, std::uint64_t small_bytes);

/// A verified segment that may be merged.
struct SourceSegment {
  Sha256 digest;
  std::uint64_t bytes = 0;
  SegmentHeader header;
};

/// Whether `table` says of each source what its header says.
[[nodiscard]] bool tells_truth(const SegmentTable& table, const std::vector<SourceSegment>& sources);

/// What is to be published instead of what.
struct CompactionPlan {
  /// A row of a source.
  struct Row {
    std::int32_t source = 0;  ///< in `sources`
    std::int32_t row = 0;     ///< of that source
  };
  /// A segment to be published.
  struct Merged {
    SegmentOrigin origin;
    std::vector<Row> rows;
  };
  std::vector<SourceSegment> sources;  ///< by name
  std::vector<Merged> merged;
  std::int32_t generation = 0;  ///< of all merged ones: above that of every source
};

/// Every key of `sources` once: the row that counts, from the source whose name sorts first. Rows of
/// different engines stay in different segments. What merging would not change is left out.
/// @param sources  of one tap, shape and storage
[[nodiscard]] CompactionPlan plan_compaction(std::vector<SourceSegment> sources, std::size_t merged_bytes);

/// What carry_out() did.
struct CompactionOutcome {
  /// A merged segment that stands on disk.
  struct Published {
    Sha256 digest;
    FileStamp stamp;
    SegmentHeader header;
  };
  /// A source that could not be read any more.
  struct Lost {
    Sha256 digest;
    FileStamp stamp;  ///< from before it was read
    SegmentFault fault;
  };
  std::vector<Published> published;    ///< and verified
  std::vector<Sha256> unlinked;        ///< sources that are gone now
  std::vector<Lost> lost;              ///< sources that could not be read any more
  std::optional<std::string> failure;  ///< why the plan was not carried out whole
};

/// Publishes what is merged, reads it back and verifies it, and unlinks the sources whose every row stands in
/// it. A source that is gone by now is left out. After a failure it unlinks only what was replaced until
/// then.
[[nodiscard]] CompactionOutcome carry_out(const CompactionPlan& plan, SegmentFolder& folder,
                                          const CompactionSettings& settings);

}  // namespace headstart
