// features/cache_writer.hpp: all that an extraction does to its caches, one for each tap, while it runs on
// many threads. Invariant: a row that was appended is published by the next publish_due() after it is due, or
// by publish_all(), even where the extraction fails in between. Surprise: publishing has its own lock beside
// the rows', so that the network goes on while a segment goes to the disk.
#pragma once

#include <chrono>
#include <deque>
#include <mutex>
#include <span>
#include <vector>

#include "data/sha256.hpp"
#include "features/cache.hpp"
#include "features/engine.hpp"
#include "features/lower_taps.hpp"

namespace headstart {

class CacheWriter {
 public:
  CacheWriter(std::span<FeatureCache* const> caches, const LowerTaps& lower)
      : caches_(caches.begin(), caches.end()), lower_(lower) {}

  /// Which of the caches have no row for `key`, and what it can be computed from. Any thread.
  [[nodiscard]] RowLookup look_up(const Sha256& key) const;

  /// Says who computes the rows that append() brings from now on: what another engine computed before is set
  /// aside, as a segment has one origin. The thread that appends.
  void start(const EngineDescription& engine, int input_size);
  /// Adds a row to one cache's next segment, rounded to its storage already. One thread at a time.
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
  void collect_all();

  std::vector<FeatureCache*> caches_;
  const LowerTaps& lower_;
  mutable std::mutex caches_lock_;  // of all caches: lookups against publishing
  std::vector<SegmentBuilder> builders_;
  std::mutex due_lock_;
  std::deque<DueSegment> due_;
};

}  // namespace headstart
