// features/cache/compaction.hpp: carries a compaction plan out on a folder: publishes the merged segments,
// reads them back, and unlinks what they replace. The plan decides; compaction_plan.hpp has the invariant
// that no row is lost. The lock of the folder only saves work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/sha256.hpp"
#include "features/cache/compaction_plan.hpp"
#include "features/cache/segment.hpp"
#include "features/cache/segment_folder.hpp"

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

/// The result of carry_out().
struct CompactionOutcome {
  std::vector<MergedSegment> published;  ///< on disk and verified
  std::vector<Sha256> unlinked;          ///< sources that are gone now
  std::vector<LostSegment> lost;         ///< sources that could not be read any more
  std::optional<std::string> failure;    ///< why only a part of the plan was carried out
};

/// Publishes each merged segment, reads it back and verifies it. Then unlinks the sources whose rows are all
/// in it. A source that no longer exists is left out. After a failure, unlinks only the sources that were
/// replaced before.
[[nodiscard]] CompactionOutcome carry_out(const CompactionPlan& plan, SegmentFolder& folder,
                                          const CompactionSettings& settings);

}  // namespace headstart
