// features/cache.hpp: CACHE/<fingerprint>/<tap>/segment-*.h5: append-only, content-addressed, lock-free.
// Many processes may write at once; nothing visible ever changes. A bad segment is reported and set aside,
// never used and never fatal; a cache that can't be written costs only the caching. HDF5 (Debian's serial
// build) allows one thread at a time: so does a FeatureCache, and so do all of them together.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/error.hpp"
#include "data/sha256.hpp"
#include "features/csr_rows.hpp"
#include "features/extractor_configuration.hpp"
#include "features/segment.hpp"
#include "features/segment_index.hpp"
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
  /// the first
  ///              failed publish; called by whatever thread calls the cache
  FeatureCache(const std::filesystem::path& root, const ExtractorConfiguration& configuration, Tap tap,
               Warn warn);

  /// Whether `key` has a row.
  [[nodiscard]] bool contains(const Sha256& key) const;
  /// How many keys have a row; counts them.
  [[nodiscard]] std::size_t rows() const;
  /// CACHE/fingerprint/tap, whether it is there yet or not.
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
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
  [[nodiscard]] std::size_t small_segments() const;

  /// What compact() did.
  struct Compaction {
    std::size_t merged = 0;          ///< segments that are gone now
    std::size_t into = 0;            ///< segments that were written for them
    std::uint64_t bytes_before = 0;  ///< of both
    std::uint64_t bytes_after = 0;
  };
  /// Merges small segments, and all that share a key with another one, into few: publishes what is merged,
  /// then unlinks what it is made of. Every row keeps its bits. Whoever is killed, or compacts at the same
  /// time, leaves rows twice, never none. Where it cannot be written it warns and stops.
  Compaction compact();

  /// Has the folder's index tell the next process what this one knows, if that is news. Costs nothing but
  /// time where it fails.
  void save_index();

 private:
  struct Place {  ///< where a key's row is
    std::int32_t source;
    std::int32_t row;
    std::int32_t nonzeros;
  };
  struct Source {  ///< a verified segment file, or the bytes of one that could not be published
    std::filesystem::path file;
    IndexedSegment segment;
    std::vector<std::byte> bytes;
    bool usable = true;  ///< false: gone or damaged since
  };
  struct SourceLost {  ///< thrown within read()
    std::int32_t source;
    std::string reason;
  };
  struct IndexLied {};  ///< thrown within read(): a row is not where the index says

  [[nodiscard]] std::optional<std::string> find_foreign_configuration() const;
  /// Takes the index's word for the segments that are still as it knew them.
  void trust_index(std::span<const std::filesystem::path> files);
  /// Verifies and adds the files that no usable source is.
  void scan();
  void add_segment(const std::filesystem::path& file, const FileStamp& stamp,
                   std::span<const std::byte> bytes);
  void add_source(Source source, std::span<const Sha256> keys, std::span<const std::int32_t> nonzeros);
  void add_row(const IndexedRow& row);
  /// Forgets added rows whose source is no longer usable.
  void refile_added();
  struct NewSource {  ///< published, but not one of sources_ yet
    Source source;
    std::vector<Sha256> keys;
    std::vector<std::int32_t> nonzeros;
  };
  struct StoreFailed {  ///< thrown within compact()
    std::string reason;
  };
  [[nodiscard]] std::vector<std::int32_t> sources_to_merge() const;
  /// Publishes the rows of `sources` that count, in segments of the usual size, one after the other into
  /// `merged`. @throws SourceLost, StoreFailed
  void merge(std::span<const std::int32_t> sources, std::vector<NewSource>& merged);
  [[nodiscard]] NewSource store_segment(const Segment& segment);
  /// Forgets one source, or all of the index, and looks what the folder has now.
  void lose(const SourceLost& lost);
  void forget_index();
  /// For two rows of one key the segment with the smallest digest, and so the smallest name, wins: all
  /// processes that see the same segments use the same rows.
  [[nodiscard]] std::optional<Place> find(const Sha256& key) const;
  [[nodiscard]] Place place_of(const Sha256& key) const;
  [[nodiscard]] CsrRows read_once(std::span<const Sha256> keys) const;
  [[nodiscard]] Segment load(std::int32_t source) const;
  [[nodiscard]] std::optional<std::string> store(const std::filesystem::path& file,
                                                 std::span<const std::byte> bytes);

  std::filesystem::path folder_;
  std::string extractor_json_;
  Tap tap_;
  MapShape shape_;
  FeatureType storage_;
  Warn warn_;
  bool usable_ = true;  // false: the folder is another configuration's
  bool published_ = false;
  bool warned_publish_ = false;
  SegmentIndex index_;  // its segments are sources_[0], [1], ...
  std::vector<Source> sources_;
  std::vector<IndexedRow> added_;               // rows of the sources that the index does not know
  std::unordered_map<Sha256, Place> of_added_;  // the winners among them
  std::string last_loss_;                       // why a source was lost
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
