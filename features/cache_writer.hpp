// features/cache_writer.hpp: all that an extraction does to its caches, one for each tap, while it runs on
// many threads. Invariant: a row that was appended is published by the next publish_due() after it is due, or
// by publish_all(), even where the extraction fails in between. Surprise: publishing has its own lock beside
// the rows', so that the network goes on while a segment goes to the disk.
#pragma once

#include <bitset>
#include <chrono>
#include <deque>
#include <mutex>
#include <span>
#include <vector>

#include "data/sha256.hpp"
#include "features/cache.hpp"
#include "features/engine.hpp"

namespace headstart {

/// Which of the caches (by position) are meant; there is at most one for each tap.
using CacheSet = std::bitset<kAllTaps.size()>;

class CacheWriter {
 public:
  explicit CacheWriter(std::span<FeatureCache* const> caches) : caches_(caches.begin(), caches.end()) {}

  /// The caches that have no row for `key`. Any thread.
  [[nodiscard]] CacheSet lacking(const Sha256& key) const;

  /// Says who computes the rows that append() brings. One thread, before the first append().
  void start(const EngineDescription& engine, int input_size);
  /// Adds a row to one cache's next segment. One thread at a time.
  void append(std::size_t cache, const Sha256& key, std::span<const float> activations);
  /// Sets aside the segments that are due; the thread that appends.
  void collect_due(std::chrono::steady_clock::time_point now);

  /// Publishes what was set aside. One thread at a time.
  void publish_due();
  /// Publishes everything that was appended. When no other thread is in here any more.
  void publish_all();

 private:
  struct DueSegment {
    std::size_t cache;
    Segment segment;
  };

  void collect(std::size_t cache);

  std::vector<FeatureCache*> caches_;
  mutable std::mutex caches_lock_;  // of *caches_[i]: lookups against publishing
  std::vector<SegmentBuilder> builders_;
  std::mutex due_lock_;
  std::deque<DueSegment> due_;
};

}  // namespace headstart
