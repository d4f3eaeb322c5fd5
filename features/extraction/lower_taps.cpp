// features/extraction/lower_taps.cpp: see lower_taps.hpp.
#include "features/extraction/lower_taps.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <variant>

namespace headstart {
namespace {

/// Moves the positions whose rows do not exist from `positions` to `lost`.
void drop_lost(const FeatureCache& cache, std::span<const Sha256> keys, std::vector<std::size_t>& positions,
               std::vector<std::size_t>& lost) {
  std::erase_if(positions, [&](std::size_t position) {
    const bool gone = !cache.contains(keys[position]);
    if (gone) lost.push_back(position);
    return gone;
  });
}

std::vector<Sha256> keys_at(std::span<const Sha256> keys, std::span<const std::size_t> positions) {
  std::vector<Sha256> chosen;
  chosen.reserve(positions.size());
  for (const std::size_t position : positions) chosen.push_back(keys[position]);
  return chosen;
}

/// The rows at `positions`. Positions whose rows prove missing or damaged move to `lost`.
SparseRows read_rows(FeatureCache& cache, std::span<const Sha256> keys, std::vector<std::size_t>& positions,
                     std::vector<std::size_t>& lost) {
  while (true) {  // each turn has fewer positions
    auto read = cache.try_read(keys_at(keys, positions));
    if (auto* rows = std::get_if<SparseRows>(&read)) return std::move(*rows);
    drop_lost(cache, keys, positions, lost);
  }
}

}  // namespace

LowerTaps::LowerTaps(std::span<FeatureCache* const> caches, LowerCache lower)
    : caches_(caches.begin(), caches.end()), lower_(std::move(lower)) {}

FeatureCache* LowerTaps::cache_of(const Tap& tap) const {
  for (FeatureCache* const cache : caches_) {
    if (cache->tap() == tap) return cache;
  }
  return lower_ ? lower_(tap) : nullptr;
}

RowLookup LowerTaps::look_up(const Sha256& key) const {
  const Network& network = caches_.front()->network();
  RowLookup result{CacheSet(caches_.size()), std::nullopt};
  std::size_t lowest = network.taps.size();
  for (std::size_t i = 0; i < caches_.size(); ++i) {
    if (caches_[i]->contains(key)) continue;
    result.lacking[i] = true;
    lowest = std::min(lowest, position_of(network, caches_[i]->tap()));
  }
  if (result.complete() || caches_.front()->storage() == FeatureType::kFloat16) return result;
  for (std::size_t above = lowest; above > 0 && !result.from; --above) {
    const Tap& tap = network.taps[above - 1];
    const FeatureCache* const cache = cache_of(tap);
    if (cache != nullptr && cache->contains(key)) result.from = tap;
  }
  return result;
}

std::vector<std::size_t> LowerTaps::read(const Tap& tap, std::span<const Sha256> keys, const TakeRow& take) {
  FeatureCache& cache = *cache_of(tap);
  std::vector<std::size_t> lost;
  std::vector<std::size_t> positions(keys.size());
  std::iota(positions.begin(), positions.end(), std::size_t{0});
  drop_lost(cache, keys, positions, lost);
  const std::vector<std::int32_t> segments = cache.layout(keys_at(keys, positions)).segments;
  std::vector<std::size_t> order(positions.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return segments[a] < segments[b]; });

  std::vector<float> dense;
  for (auto at = order.begin(); at != order.end();) {
    const std::int32_t segment = segments[*at];
    std::vector<std::size_t> together;
    for (; at != order.end() && segments[*at] == segment; ++at) together.push_back(positions[*at]);
    const SparseRows rows = read_rows(cache, keys, together, lost);
    dense.resize(static_cast<std::size_t>(rows.columns));
    for (std::size_t row = 0; row < together.size(); ++row) {
      rows.expand(row, dense);
      if (!take(together[row], dense)) return lost;
    }
  }
  return lost;
}

}  // namespace headstart
