// features/cache.hpp: CACHE/<fingerprint>/<tap>/segment-*.h5: append-only, content-addressed.
// Many processes may write at once, without a lock; nothing visible ever changes. A bad segment is reported
// and set aside, never used and never fatal; a cache that can't be written costs only the caching. HDF5
// (Debian's serial build) allows one thread at a time: so does a FeatureCache, and so do all of them
// together.
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

#include "data/error.hpp"
#include "data/file_stamp.hpp"
#include "data/sha256.hpp"
#include "features/compaction.hpp"
#include "features/csr_rows.hpp"
#include "features/extractor_configuration.hpp"
#include "features/segment.hpp"
#include "features/segment_files.hpp"
#include "features/segment_folder.hpp"
#include "features/segment_set.hpp"
#include "features/vgg16.hpp"

namespace headstart {

/// $XDG_CACHE_HOME/headstart, else ~/.cache/headstart.
[[nodiscard]] std::filesystem::path default_cache_folder();

/// Rows that were there can no longer be read. Who still has their images can have them computed again.
class RowsLost : public Error {
 public:
  using Error::Error;
};

/// The rows of one fingerprint and one tap.
class FeatureCache {
 public:
  /// Receives a line for a person.
  using Warn = std::function<void(const std::string& line)>;

  /// Lists the segments that are there and verifies those that the folder's index does not know. Creates
  /// nothing: folders appear with the first publish(). A folder whose extractor.json says something else than
  /// `configuration` (tampering; a collision of fingerprints is out of reach) is neither read nor written:
  /// the run goes on without a cache.
  /// @param warn  receives one line for every segment that can't be used, for a folder that can't be, and for
  ///              the first failed publish; called by whatever thread calls the cache
  FeatureCache(const std::filesystem::path& root, const ExtractorConfiguration& configuration, Tap tap,
               Warn warn);

  /// Whether `key` has a row.
  [[nodiscard]] bool contains(const Sha256& key) const { return set_.find(key).has_value(); }
  /// How many keys have a row; counts them.
  [[nodiscard]] std::size_t rows() const { return set_.keys(); }
  /// CACHE/fingerprint/tap, whether it is there yet or not.
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_.path(); }
  /// Whose activations the rows are.
  [[nodiscard]] Tap tap() const noexcept { return tap_; }
  /// How its rows are stored, and what they have to be rounded to.
  [[nodiscard]] FeatureType storage() const noexcept { return storage_; }

  /// Makes `segment` durable and visible: temporary name, fsync, rename, fsync of the folder. If that fails
  /// (read-only, full), warns once and keeps the segment in memory, so that this run goes on; memory then
  /// grows with the data set.
  /// @return whether it is on disk
  bool publish(const Segment& segment);

  /// The rows of `keys`, in that order; keys may repeat. Each segment is opened once, one at a time: beyond
  /// the result this takes a segment's bytes and its rows. Digests and keys are verified again: a segment
  /// that vanished (somebody compacted the cache) is looked for again under other names, one that changed is
  /// set aside.
  /// @throws RowsLost if a key is no longer there, Error kFailed if it never was
  [[nodiscard]] CsrRows read(std::span<const Sha256> keys);

  /// What read() would give, without reading: how large it is and what lies together.
  struct Layout {
    std::int64_t nonzeros = 0;
    std::vector<std::int32_t> segments;  ///< of each key: equal numbers are one segment
  };
  /// @throws Error kFailed if a key is not there
  [[nodiscard]] Layout layout(std::span<const Sha256> keys) const;

  /// Segment files smaller than half of what one may be.
  [[nodiscard]] std::size_t small_segments() const {
    return set_.files_below(CompactionSettings{}.small_bytes());
  }

  /// What compact() did.
  struct Compaction {
    std::size_t merged = 0;          ///< segments that are gone now
    std::size_t into = 0;            ///< segments that were written for them
    std::uint64_t bytes_before = 0;  ///< of both
    std::uint64_t bytes_after = 0;
    bool elsewhere = false;  ///< nothing was done: another process is compacting this folder
  };
  /// Merges small segments, and all that share a key with another one, into few. Every row keeps its bits,
  /// and is on disk at any moment, whoever is killed or compacts at the same time (compaction.hpp). One
  /// process at a time does so where the file system can lock. Where the folder can't be written it warns and
  /// stops.
  Compaction compact(const CompactionSettings& settings = {});

  /// Has the folder's index tell the next process what this one knows, if that is news. Costs nothing but
  /// time where it fails.
  void save_index();

 private:
  struct SegmentLost {
    std::int32_t segment;
    FileStamp stamp;  ///< from before it was read
    SegmentFault fault;
  };
  struct IndexLied {};  ///< a row is not where the index says

  /// Takes the index's word for the segments that are still as it knew them.
  void trust_index(std::span<const std::filesystem::path> files);
  /// Verifies and adds the files that no usable segment is.
  void scan();
  void add_file(const VerifiedSegment& verified);
  /// The header, if the segment can be one of this cache's. @throws Error if not
  [[nodiscard]] SegmentHeader fitting_header(std::span<const std::byte> bytes) const;
  /// Has the user know of a segment that can't be used; it is not looked at again while it stays as it is.
  void refuse(const std::filesystem::path& file, const FileStamp& stamp, const SegmentFault& fault);
  void lose(const SegmentLost& lost);
  /// Reads nothing more into this folder's index, and looks what the folder has.
  void forget_index();
  [[nodiscard]] SegmentSet::Place place_of(const Sha256& key) const;
  [[nodiscard]] std::variant<CsrRows, SegmentLost, IndexLied> read_once(std::span<const Sha256> keys) const;
  [[nodiscard]] std::variant<Segment, SegmentLost> load(std::int32_t segment) const;
  /// Verified; those that can't be used any more are lost.
  [[nodiscard]] std::vector<SourceSegment> sources_of(std::span<const Sha256> names);
  [[nodiscard]] CompactionPlan make_plan(const CompactionSettings& settings);
  void warn_not_compacted(std::string_view reason);

  SegmentFolder folder_;
  Tap tap_;
  MapShape shape_;
  FeatureType storage_;
  Warn warn_;
  bool warned_publish_ = false;
  bool index_lied_ = false;
  SegmentSet set_;
  std::unordered_map<std::int32_t, std::vector<std::byte>>
      in_memory_;                                  // segments that could not be published
  std::unordered_map<Sha256, FileStamp> refused_;  // segment files that can't be used, as they were
  std::string last_loss_;                          // why a segment was lost
};

/// Collects rows until a segment is due: 64 MiB or 30 seconds, whichever is first.
class SegmentBuilder {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{64} << 20;
  static constexpr std::chrono::seconds kMaxAge{30};

  /// An empty one, for rows of `shape` at `tap`.
  SegmentBuilder(Tap tap, MapShape shape, SegmentOrigin origin, FeatureType storage = FeatureType::kFloat32);

  /// @param activations [h, w, c], finite and such as the storage has
  void append(const Sha256& key, std::span<const float> activations);
  /// @param rows  of the same tap, shape and storage
  void append(const Sha256& key, const CsrRows& rows, std::size_t row);
  /// Whether it has kMaxBytes.
  [[nodiscard]] bool full() const noexcept;
  /// Whether it is full, or its oldest row kMaxAge old at `now`.
  [[nodiscard]] bool due(std::chrono::steady_clock::time_point now) const noexcept;
  /// Whether it has no row.
  [[nodiscard]] bool empty() const noexcept { return segment_.keys.empty(); }
  /// The collected segment; the builder starts again empty.
  [[nodiscard]] Segment take();

 private:
  Segment segment_;
  std::optional<std::chrono::steady_clock::time_point> oldest_;
};

}  // namespace headstart
