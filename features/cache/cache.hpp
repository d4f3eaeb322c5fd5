// features/cache/cache.hpp: the rows of CACHE/<fingerprint>/<tap>/segment-*.h5. The cache is append-only and
// content-addressed. Many processes may write at once, without a lock; a visible file never changes. A bad
// segment is reported and set aside; the cache never uses it and the run goes on. If the cache can't be
// written, the run goes on without caching. HDF5 (Debian's serial build) allows one thread at a time. So a
// FeatureCache, and all FeatureCaches together, allow only one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "data/error.hpp"
#include "data/sha256.hpp"
#include "features/cache/compaction.hpp"
#include "features/cache/extractor_configuration.hpp"
#include "features/cache/known_segments.hpp"
#include "features/cache/row_gathering.hpp"
#include "features/cache/segment.hpp"
#include "features/network/network.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// Rows are not in the cache, or no longer. A caller that has the images can compute them again.
class RowsLost : public Error {
 public:
  using Error::Error;
};

/// The rows of one fingerprint and one tap.
class FeatureCache {
 public:
  /// Receives a line for the user.
  using Warn = KnownSegments::Warn;

  /// Lists the segments in the folder and verifies those that the folder's index does not know. Creates
  /// nothing: folders appear with the first publish(). A folder whose extractor.json differs from
  /// `configuration` is neither read nor written, and the run goes on without a cache. The reason for such a
  /// folder is tampering; fingerprints do not collide in practice.
  /// @param warn  receives one line for every segment that can't be used, for a folder that can't be used,
  /// and for the first failed publish. Any thread that calls the cache may call `warn`
  FeatureCache(const std::filesystem::path& root, const ExtractorConfiguration& configuration, const Tap& tap,
               Warn warn);

  /// Whether `key` has a row.
  [[nodiscard]] bool contains(const Sha256& key) const { return known_.set().find(key).has_value(); }
  /// How many keys have a row. Counts them on each call.
  [[nodiscard]] std::size_t rows() const { return known_.set().keys(); }
  /// CACHE/fingerprint/tap; it need not exist yet.
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return known_.folder().path(); }
  /// The tap of the rows' activations.
  [[nodiscard]] const Tap& tap() const noexcept { return known_.kind().tap; }
  /// The network of the rows' activations.
  [[nodiscard]] const Network& network() const noexcept { return network_; }
  /// How rows are stored. Rows have to be rounded to this type before they are appended.
  [[nodiscard]] FeatureType storage() const noexcept { return known_.kind().storage; }

  /// Makes `segment` durable and visible: temporary name, fsync, rename, fsync of the folder. If the folder
  /// can't be written (read-only, full), warns once and keeps the segment in memory. The run goes on, but its
  /// memory then grows with the dataset.
  /// @return whether the segment is on disk
  bool publish(const Segment& segment);

  /// The rows of `keys`, in that order; keys may repeat. Each segment is opened once, one at a time. Beyond
  /// the result, memory holds one segment's bytes and rows. Digests and keys are verified again. If a segment
  /// vanished (another process compacted the cache), its rows are looked for in other segments. A segment
  /// that changed is set aside.
  /// @return RowsLost if a key has no row, or its row is no longer there
  [[nodiscard]] std::variant<SparseRows, RowsLost> try_read(std::span<const Sha256> keys);
  /// As try_read(). @throws RowsLost
  [[nodiscard]] SparseRows read(std::span<const Sha256> keys);

  /// The size of read()'s result, and which rows lie together; known without reading.
  struct Layout {
    std::int64_t nonzeros = 0;
    std::vector<std::int32_t> segments;  ///< for each key; keys with equal numbers share a segment
  };
  /// @throws RowsLost if a key has no row
  [[nodiscard]] Layout layout(std::span<const Sha256> keys) const;

  /// How many segment files are smaller than half of the largest allowed size.
  [[nodiscard]] std::size_t small_segments() const {
    return known_.set().files_below(CompactionSettings{}.small_bytes());
  }

  /// The result of compact().
  struct Compaction {
    std::size_t merged = 0;          ///< segments that are gone now
    std::size_t into = 0;            ///< segments that replace them
    std::uint64_t bytes_before = 0;  ///< of `merged`; bytes_after: of `into`
    std::uint64_t bytes_after = 0;
    bool elsewhere = false;  ///< nothing was done: another process is compacting this folder
  };
  /// Merges small segments, and all segments that share a key with another one, into few. Rows keep their
  /// exact values. Every row is on disk at any moment, even if a process is killed or several processes
  /// compact (compaction.hpp). Where the file system can lock, only one process compacts at a time. If the
  /// folder can't be written, compact() warns and stops.
  Compaction compact(const CompactionSettings& settings = {});

  /// Writes the folder's index if this cache knows more than the index. If that fails, later runs only take
  /// longer.
  void save_index() const { known_.save_index(); }

 private:
  [[nodiscard]] std::variant<SegmentSet::Place, RowsLost> place_of(const Sha256& key) const;
  /// Reads the segments of a gathering.
  /// @return whether all went well; if not, less is known now, so that the next attempt differs
  [[nodiscard]] bool gather(RowGathering& gathering);
  [[nodiscard]] std::variant<Segment, LostSegment> load(std::int32_t segment) const;
  [[nodiscard]] CompactionPlan make_plan(const CompactionSettings& settings);
  /// Makes the outcome of a compaction known.
  Compaction take_over(const CompactionOutcome& outcome);
  void warn_not_compacted(std::string_view reason) const;

  KnownSegments known_;
  Network network_;
  bool warned_publish_ = false;
  // Segments that could not be published, by number.
  std::unordered_map<std::int32_t, std::vector<std::byte>> in_memory_;
};

}  // namespace headstart
