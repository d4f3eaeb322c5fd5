// features/extraction/cache_writer.hpp: all calls of an extraction to its caches, one cache for each tap,
// from many threads. Invariant: an appended row is published by the next publish_due() after the row is due,
// or by publish_all(). This holds even if the extraction fails in between. Note: publishing has its own lock,
// separate from the lock of the rows. So the network goes on while a segment is written to disk.
#pragma once

#include <chrono>
#include <deque>
#include <mutex>
#include <span>
#include <vector>

#include "data/sha256.hpp"
#include "features/cache/cache.hpp"
#include "features/cache/segment_builder.hpp"
#include "features/engines/engine.hpp"
#include "features/extraction/lower_taps.hpp"

namespace headstart {

class CacheWriter {
 public:
  CacheWriter(std::span<FeatureCache* const> caches, const LowerTaps& lower)
      : caches_(caches.begin(), caches.end()), lower_(lower) {}

  /// The caches that have no row for `key`, and the tap or image from which the row can be computed. Any
  /// thread may call it.
  [[nodiscard]] RowLookup look_up(const Sha256& key) const;

  /// Sets the origin of the rows that append() adds from now on. Rows of another engine are queued first,
  /// because a segment has one origin. Only for the thread that appends.
  void start(const EngineDescription& engine, int input_size);
  /// Adds a row to one cache's next segment. The row is already rounded to the cache's storage. One thread at
  /// a time.
  void append(std::size_t cache, const Sha256& key, std::span<const float> activations);
  /// Queues the segments that are due, for publish_due(). Only for the thread that appends.
  void collect_due(std::chrono::steady_clock::time_point now);

  /// Publishes the queued segments. One thread at a time.
  void publish_due();
  /// Publishes all appended rows. Only when no other thread uses this object any more.
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
  mutable std::mutex caches_lock_;  // of all caches: separates lookups from publishing
  std::vector<SegmentBuilder> builders_;
  std::mutex due_lock_;
  std::deque<DueSegment> due_;
};

}  // namespace headstart
