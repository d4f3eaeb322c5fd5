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
  /// publish(). A folder whose extractor.json says something else than `configuration` is neither read nor
  /// written.
  /// @param warn  receives one line for every segment set aside and for the first failed publish
  FeatureCache(std::filesystem::path root, const ExtractorConfiguration& configuration, Tap tap, Warn warn);

  [[nodiscard]] bool contains(const Sha256& key) const;
  [[nodiscard]] std::size_t rows() const noexcept;
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  [[nodiscard]] Tap tap() const noexcept { return tap_; }

  /// Makes `segment` durable and visible: temporary name, fsync, rename, fsync of the folder. If that fails
  /// (read-only, full), warns once and keeps the segment in memory, so that this run goes on. Returns whether
  /// it is on disk.
  bool publish(const Segment& segment);

  /// The rows of `keys`, in that order; keys may repeat. Each segment is opened once; while it works, the
  /// result may exist twice (in the segments' order and in that of the keys).
  /// @throws Error kFailed if a key is not there, or vanished since (run again: it will be extracted again)
  [[nodiscard]] CsrRows read(std::span<const Sha256> keys) const;

 private:
  struct Place {  ///< where a key's row is
    std::int32_t segment;
    std::int32_t row;
  };
  struct Source {  ///< a verified segment file, or the bytes of one that could not be published
    std::filesystem::path file;
    Sha256 digest;
    std::vector<std::byte> bytes;
  };

  void scan();
  void scan_segment(const std::filesystem::path& file);
  void add_source(Source source, std::span<const Sha256> keys);
  [[nodiscard]] Segment load(const Source& source) const;
  [[nodiscard]] std::optional<std::string> store(const std::string& name, std::span<const std::byte> bytes);

  std::filesystem::path root_;
  std::filesystem::path folder_;
  std::string extractor_json_;
  Tap tap_;
  MapShape shape_;
  Warn warn_;
  bool usable_ = true;  // false: the folder belongs to another configuration
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
