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

#include "data/sha256.hpp"
#include "features/csr_rows.hpp"
#include "features/extractor_configuration.hpp"
#include "features/segment.hpp"
#include "features/vgg16.hpp"

namespace headstart {

/// $XDG_CACHE_HOME/headstart, else ~/.cache/headstart.
[[nodiscard]] std::filesystem::path default_cache_folder();

/// The rows of one fingerprint and one tap.
class FeatureCache {
 public:
  using Warn = std::function<void(const std::string& line)>;

  /// Lists and verifies the segments that are there. Creates nothing: folders appear with the first
  /// publish(). A folder whose extractor.json says something else than `configuration` (tampering; a
  /// collision of fingerprints is out of reach) is neither read nor written: the run goes on without a cache.
  /// @param warn  receives one line for every segment that can't be used, for a folder that can't be, and for
  /// the first
  ///              failed publish; called by whatever thread calls the cache
  FeatureCache(const std::filesystem::path& root, const ExtractorConfiguration& configuration, Tap tap,
               Warn warn);

  [[nodiscard]] bool contains(const Sha256& key) const;
  [[nodiscard]] std::size_t rows() const noexcept;
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  [[nodiscard]] Tap tap() const noexcept { return tap_; }

  /// Makes `segment` durable and visible: temporary name, fsync, rename, fsync of the folder. If that fails
  /// (read-only, full), warns once and keeps the segment in memory, so that this run goes on; memory then
  /// grows with the data set.
  /// @return whether it is on disk
  bool publish(const Segment& segment);

  /// The rows of `keys`, in that order; keys may repeat. Each segment is opened once, one at a time: beyond
  /// the result this takes a segment's bytes and its rows. Digests are verified again.
  /// @throws Error kFailed if a key is not there, or a segment vanished or changed since the scan (run again:
  /// its images
  ///         are extracted again)
  [[nodiscard]] CsrRows read(std::span<const Sha256> keys) const;

  /// What read() would give, without reading: how large it is and what lies together.
  struct Layout {
    std::int64_t nonzeros = 0;
    std::vector<std::int32_t> segments;  ///< of each key: equal numbers are one segment
  };
  /// @throws Error kFailed if a key is not there
  [[nodiscard]] Layout layout(std::span<const Sha256> keys) const;

 private:
  struct Place {  ///< where a key's row is
    std::int32_t source;
    std::int32_t row;
    std::int32_t nonzeros;
  };
  struct Source {  ///< a verified segment file, or the bytes of one that could not be published
    std::filesystem::path file;
    Sha256 digest;
    std::vector<std::byte> bytes;
  };

  [[nodiscard]] std::optional<std::string> find_foreign_configuration() const;
  void scan();
  void scan_segment(const std::filesystem::path& file);
  /// Files the rows under their keys. For two rows of one key the segment with the smallest digest, and so
  /// the smallest name, wins: all processes that see the same segments use the same rows.
  void add_source(Source source, std::span<const Sha256> keys, std::span<const std::int32_t> nonzeros);
  [[nodiscard]] Place place_of(const Sha256& key) const;
  [[nodiscard]] Segment load(const Source& source) const;
  [[nodiscard]] std::optional<std::string> store(const std::filesystem::path& file,
                                                 std::span<const std::byte> bytes);

  std::filesystem::path folder_;
  std::string extractor_json_;
  Tap tap_;
  MapShape shape_;
  Warn warn_;
  bool usable_ = true;  // false: the folder is another configuration's
  bool published_ = false;
  bool warned_publish_ = false;
  std::vector<Source> sources_;
  std::unordered_map<Sha256, Place> places_;
};

/// Collects rows until a segment is due: 64 MiB or 30 seconds, whichever is first.
class SegmentBuilder {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{64} << 20;
  static constexpr std::chrono::seconds kMaxAge{30};

  SegmentBuilder(Tap tap, MapShape shape, SegmentOrigin origin);

  /// @param activations [h, w, c], finite
  void append(const Sha256& key, std::span<const float> activations);
  [[nodiscard]] bool due(std::chrono::steady_clock::time_point now) const noexcept;
  [[nodiscard]] bool empty() const noexcept { return segment_.keys.empty(); }
  /// The collected segment; the builder starts again empty.
  [[nodiscard]] Segment take();

 private:
  Segment segment_;
  std::optional<std::chrono::steady_clock::time_point> oldest_;
};

/// One line of `headstart cache list`.
struct CacheListing {
  std::string fingerprint;
  std::string tap;
  std::uint64_t segments = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::string engine;  ///< of the newest segment
};
/// What a cache folder holds, sorted by fingerprint and tap; unreadable segments are reported through `warn`.
[[nodiscard]] std::vector<CacheListing> list_cache(const std::filesystem::path& root,
                                                   const FeatureCache::Warn& warn);

}  // namespace headstart
