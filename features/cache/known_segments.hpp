// features/cache/known_segments.hpp: the segments of a folder that this process knows and may use: a
// SegmentSet that is kept in step with the folder. A segment that can't be used is reported once and left
// out.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "data/archive/file_stamp.hpp"
#include "data/sha256.hpp"
#include "features/cache/compaction_plan.hpp"
#include "features/cache/segment.hpp"
#include "features/cache/segment_files.hpp"
#include "features/cache/segment_folder.hpp"
#include "features/cache/segment_set.hpp"

namespace headstart {

/// The segments of one folder.
class KnownSegments {
 public:
  /// Receives a line for the user.
  using Warn = std::function<void(const std::string& line)>;

  /// Knows nothing until scan().
  /// @param kind  of the folder's segments; others can't be used
  KnownSegments(SegmentFolder folder, const SegmentKind& kind, Warn warn);

  /// The segments that are known, and their rows.
  [[nodiscard]] const SegmentSet& set() const noexcept { return set_; }
  /// The folder of their files.
  [[nodiscard]] SegmentFolder& folder() noexcept { return folder_; }
  /// The folder of their files.
  [[nodiscard]] const SegmentFolder& folder() const noexcept { return folder_; }
  /// As given.
  [[nodiscard]] const SegmentKind& kind() const noexcept { return kind_; }
  /// Why a segment was lost, the last time; empty if none was.
  [[nodiscard]] const std::string& last_loss() const noexcept { return last_loss_; }
  /// Tells the user.
  void warn(const std::string& line) const { warn_(line); }

  /// Lists the folder. Verifies and adds the segments that are not known, unless they were refused before and
  /// have not changed. The first scan believes the folder's index about the segments that have not changed.
  void scan();
  /// Adds a segment that this process wrote. @return its number
  std::int32_t add(const Sha256& digest, const FileStamp& stamp, SegmentSet::Medium medium,
                   std::span<const Sha256> keys, std::span<const std::int32_t> nonzeros);
  /// Removes segments that were unlinked.
  void drop(std::span<const Sha256> digests);
  /// Removes a segment that can't be used any more, and reports it unless it is gone.
  void lose(const LostSegment& lost);
  /// Reads segments again. @return those that can be used; the others are lost
  [[nodiscard]] std::vector<SourceSegment> read_again(std::span<const Sha256> digests);

  /// Whether the folder's index was found to be wrong. Then it is not believed again, even if its file could
  /// not be removed.
  [[nodiscard]] bool index_lied() const noexcept { return index_lied_; }
  /// Forgets what only the index said, and scans.
  void forget_index();
  /// Writes the index if more is known than it says. If that fails, later runs only take longer.
  void save_index() const;

 private:
  void trust_index(std::span<const Sha256> files);
  /// The header, if the segment is of this folder's kind.
  [[nodiscard]] std::variant<SegmentHeader, SegmentFault> fitting_header(
      const VerifiedSegment& verified) const;
  [[nodiscard]] bool is_refused(const Sha256& digest) const;
  /// Reports a segment that can't be used. It is not read again while its file stays the same.
  void refuse(const LostSegment& lost);

  SegmentFolder folder_;
  SegmentKind kind_;
  Warn warn_;
  SegmentSet set_;
  bool index_lied_ = false;
  std::unordered_map<Sha256, FileStamp> refused_;  // with the stamps of their files
  std::string last_loss_;
};

}  // namespace headstart
