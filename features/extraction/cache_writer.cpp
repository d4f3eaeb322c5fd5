// features/extraction/cache_writer.cpp
#include "features/extraction/cache_writer.hpp"

#include <unistd.h>

#include <array>
#include <optional>

namespace headstart {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

SegmentOrigin origin_of(const EngineDescription& engine) {
  return {.engine = engine.name,
          .engine_version = engine.version + ", " + engine.implementation,
          .headstart_version = HEADSTART_VERSION,
          .host = host_name()};
}

}  // namespace

RowLookup CacheWriter::look_up(const Sha256& key) const {
  const std::lock_guard lock(caches_lock_);
  return lower_.look_up(key);
}

void CacheWriter::start(const EngineDescription& engine, int input_size) {
  collect_all();
  builders_.clear();
  const SegmentOrigin origin = origin_of(engine);
  for (const FeatureCache* cache : caches_) {
    builders_.emplace_back(cache->tap(), tap_shape(cache->network(), cache->tap(), input_size), origin,
                           cache->storage());
  }
}

void CacheWriter::append(std::size_t cache, const Sha256& key, std::span<const float> activations) {
  builders_[cache].append(key, activations);
}

void CacheWriter::collect_due(std::chrono::steady_clock::time_point now) {
  for (std::size_t i = 0; i < builders_.size(); ++i) {
    if (builders_[i].due(now)) collect(i);
  }
}

void CacheWriter::collect(std::size_t cache) {
  DueSegment due{cache, builders_[cache].take()};
  const std::lock_guard lock(due_lock_);
  due_.push_back(std::move(due));
}

void CacheWriter::publish_due() {
  while (true) {
    std::optional<DueSegment> next;
    {
      const std::lock_guard lock(due_lock_);
      if (due_.empty()) return;
      next = std::move(due_.front());
      due_.pop_front();
    }
    const std::lock_guard lock(caches_lock_);
    caches_[next->cache]->publish(next->segment);
  }
}

void CacheWriter::collect_all() {
  for (std::size_t i = 0; i < builders_.size(); ++i) {
    if (!builders_[i].empty()) collect(i);
  }
}

void CacheWriter::publish_all() {
  collect_all();
  publish_due();
}

}  // namespace headstart
