// features/cache/cache.hpp: the rows of CACHE/<fingerprint>/<tap>/segment-*.h5. The cache is append-only and
// content-addressed. Many processes may write at once, without a lock; a visible file never changes. A bad
// segment is reported and set aside; the cache never uses it and the run goes on. If the cache can't be
// written, the run goes on without caching. HDF5 (Debian's serial build) allows one thread at a time. So a
// FeatureCache, and all FeatureCaches together, allow only one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "data/archive/file_stamp.hpp"
#include "data/error.hpp"
#include "data/sha256.hpp"
#include "features/cache/compaction.hpp"
#include "features/cache/csr_rows.hpp"
#include "features/cache/extractor_configuration.hpp"
#include "features/cache/segment.hpp"
#include "features/cache/segment_files.hpp"
#include "features/cache/segment_folder.hpp"
#include "features/cache/segment_set.hpp"
#include "features/network/network.hpp"

namespace headstart {

/// $XDG_CACHE_HOME/headstart, else ~/.cache/headstart.
[[nodiscard]] std::filesystem::path default_cache_folder();

/// Cached rows can no longer be read. A caller that has the images can compute the rows again.
class RowsLost : public Error {
 public:
  using Error::Error;
};

/// The rows of one fingerprint and one tap.
class FeatureCache {
 public:
  /// Receives a line for the user.
  using Warn = std::function<void(const std::string& line)>;

  /// Lists the segments in the folder and verifies those that the folder's index does not know. Creates
  /// nothing: folders appear with the first publish(). A folder whose extractor.json differs from
  /// `configuration` is neither read nor written, and the run goes on without a cache. The reason for such a
  /// folder is tampering; fingerprints do not collide in practice.
  /// @param warn  receives one line for every segment that can't be used, for a folder that can't be used,
  /// and for the first failed publish. Any thread that calls the cache may call `warn`
  FeatureCache(const std::filesystem::path& root, const ExtractorConfiguration& configuration, Tap tap,
               Warn warn);

  /// Whether `key` has a row.
  [[nodiscard]] bool contains(const Sha256& key) const { return set_.find(key).has_value(); }
  /// How many keys have a row. Counts them on each call.
  [[nodiscard]] std::size_t rows() const { return set_.keys(); }
  /// CACHE/fingerprint/tap; it need not exist yet.
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_.path(); }
  /// The tap of the rows' activations.
  [[nodiscard]] const Tap& tap() const noexcept { return tap_; }
  /// The network of the rows' activations.
  [[nodiscard]] const Network& network() const noexcept { return network_; }
  /// How rows are stored. Rows have to be rounded to this type before they are appended.
  [[nodiscard]] FeatureType storage() const noexcept { return storage_; }

  /// Makes `segment` durable and visible: temporary name, fsync, rename, fsync of the folder. If the folder
  /// can't be written (read-only, full), warns once and keeps the segment in memory. The run goes on, but its
  /// memory then grows with the dataset.
  /// @return whether the segment is on disk
  bool publish(const Segment& segment);

  /// The rows of `keys`, in that order; keys may repeat. Each segment is opened once, one at a time. Beyond
  /// the result, memory holds one segment's bytes and rows. Digests and keys are verified again. If a segment
  /// vanished (another process compacted the cache), its rows are looked for in other segments. A segment
  /// that changed is set aside.
  /// @throws RowsLost if a key's row is no longer there, Error kFailed if the key never had a row
  [[nodiscard]] CsrRows read(std::span<const Sha256> keys);

  /// The size of read()'s result, and which rows lie together; known without reading.
  struct Layout {
    std::int64_t nonzeros = 0;
    std::vector<std::int32_t> segments;  ///< for each key; keys with equal numbers share a segment
  };
  /// @throws Error kFailed if a key has no row
  [[nodiscard]] Layout layout(std::span<const Sha256> keys) const;

  /// How many segment files are smaller than half of the largest allowed size.
  [[nodiscard]] std::size_t small_segments() const {
    return set_.files_below(CompactionSettings{}.small_bytes());
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
  void save_index();

 private:
  struct SegmentLost {
    std::int32_t segment;
    FileStamp stamp;  ///< from before the segment was read
    SegmentFault fault;
  };
  struct IndexLied {};  ///< a row is not where the index says

  /// Adds the segments of the index whose files have not changed since.
  void trust_index(std::span<const std::filesystem::path> files);
  /// Verifies and adds the files that are not yet usable segments.
  void scan();
  void add_file(const VerifiedSegment& verified);
  /// The header, if the segment may belong to this cache. @throws Error if not
  [[nodiscard]] SegmentHeader fitting_header(std::span<const std::byte> bytes) const;
  /// Warns about a segment that can't be used. The segment is not read again while its file stays the same.
  void refuse(const std::filesystem::path& file, const FileStamp& stamp, const SegmentFault& fault);
  void lose(const SegmentLost& lost);
  /// Stops using this folder's index, and lists the folder again.
  void forget_index();
  [[nodiscard]] SegmentSet::Place place_of(const Sha256& key) const;
  [[nodiscard]] std::variant<CsrRows, SegmentLost, IndexLied> read_once(std::span<const Sha256> keys) const;
  [[nodiscard]] std::variant<Segment, SegmentLost> load(std::int32_t segment) const;
  /// The verified segments of these names. A segment that can't be used any more becomes lost.
  [[nodiscard]] std::vector<SourceSegment> sources_of(std::span<const Sha256> names);
  [[nodiscard]] CompactionPlan make_plan(const CompactionSettings& settings);
  void warn_not_compacted(std::string_view reason);

  SegmentFolder folder_;
  Network network_;
  Tap tap_;
  MapShape shape_;
  FeatureType storage_;
  Warn warn_;
  bool warned_publish_ = false;
  bool index_lied_ = false;
  SegmentSet set_;
  std::unordered_map<std::int32_t, std::vector<std::byte>>
      in_memory_;                                  // segments that could not be published
  std::unordered_map<Sha256, FileStamp> refused_;  // unusable segment files, with their stamps
  std::string last_loss_;                          // why a segment was lost
};

/// Collects unsaved rows until a segment is due: at 64 MiB, or when the oldest row is 30 seconds old.
class SegmentBuilder {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{64} << 20;
  static constexpr std::chrono::seconds kMaxAge{30};

  /// Starts empty, for rows of `shape` at `tap`.
  SegmentBuilder(Tap tap, MapShape shape, SegmentOrigin origin, FeatureType storage = FeatureType::kFloat32);

  /// @param activations  [h, w, c], finite, and already rounded to the storage type
  void append(const Sha256& key, std::span<const float> activations);
  /// @param rows  of the same tap, shape and storage
  void append(const Sha256& key, const CsrRows& rows, std::size_t row);
  /// Whether it holds kMaxBytes.
  [[nodiscard]] bool full() const noexcept;
  /// Whether it is full, or its oldest row is kMaxAge old at `now`.
  [[nodiscard]] bool due(std::chrono::steady_clock::time_point now) const noexcept;
  /// Whether it holds no row.
  [[nodiscard]] bool empty() const noexcept { return segment_.keys.empty(); }
  /// The collected segment. The builder is empty afterwards.
  [[nodiscard]] Segment take();

 private:
  Segment segment_;
  std::optional<std::chrono::steady_clock::time_point> oldest_;
};

}  // namespace headstart
