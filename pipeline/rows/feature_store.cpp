// pipeline/rows/feature_store.cpp
#include "pipeline/rows/feature_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "data/archive/image_reader.hpp"
#include "data/image/view.hpp"
#include "features/cache/cache_folder.hpp"

namespace headstart {
namespace {

constexpr std::size_t kManySmallSegments = 32;
constexpr int kMostRepairs = 100;  // of one read; with more losses the disk is not worth going on with

/// The digest of a file, from `digests` or by reading it; nothing if it can't be read.
std::optional<Sha256> digest_of(const ImageSource& source, const FileDigests& digests, ImageReader& reader) {
  if (const std::optional<FileStamp> stamp = stamp_of(source)) {
    if (const std::optional<Sha256> known = digests.find(*stamp, source.member)) return known;
  }
  const auto bytes = reader.read(source);
  if (std::holds_alternative<Reject>(bytes)) return std::nullopt;
  return sha256(std::get<std::vector<std::byte>>(bytes));
}

}  // namespace

FeatureStore::FeatureStore(const ExtractorConfiguration& configuration, std::vector<Tap> taps,
                           const StageOneOptions& options, Console& console)
    : configuration_(configuration),
      taps_(std::move(taps)),
      console_(console),
      folder_(options.cache.empty() ? default_cache_folder() : options.cache),
      digests_(folder_ / "stat", !options.rehash) {
  open_again();
}

std::unique_ptr<FeatureCache> FeatureStore::open(const Tap& tap) const {
  return std::make_unique<FeatureCache>(
      folder_, configuration_, tap, [&console = console_](const std::string& line) { console.warn(line); });
}

void FeatureStore::open_again() {
  caches_.clear();
  lower_caches_.clear();
  for (const Tap& tap : taps_) caches_.push_back(open(tap));
}

std::vector<FeatureCache*> FeatureStore::caches() const {
  std::vector<FeatureCache*> caches;
  for (const auto& cache : caches_) caches.push_back(cache.get());
  return caches;
}

FeatureCache* FeatureStore::lower_cache(const Tap& tap) {
  std::unique_ptr<FeatureCache>& cache = lower_caches_[tap.name];
  if (!cache) cache = open(tap);
  return cache.get();
}

void FeatureStore::save_accelerators(Compact compact) {
  // The index and CACHE/stat only save the next run work. If these files can't be written, nothing is lost.
  static_cast<void>(digests_.save());
  for (const auto& cache : caches_) {
    if (compact == Compact::kWhereWorthwhile && cache->small_segments() > kManySmallSegments) {
      const FeatureCache::Compaction done = cache->compact();
      if (done.merged > 0) {
        console_.detail(fmt::format("{}: {} small segments merged into {}", to_string(cache->tap()),
                                    done.merged, done.into));
      }
    }
    cache->save_index();
  }
  for (const auto& [tap, cache] : lower_caches_) cache->save_index();
}

ExtractionPlan FeatureStore::plan(std::span<const ImageSource> files, int views) {
  ExtractionPlan plan;
  const LowerTaps lower(caches(), [this](const Tap& tap) { return lower_cache(tap); });
  const auto is_cached = [&](const Sha256& key) {
    const RowLookup found = lower.look_up(key);
    if (found.from) ++plan.from_taps[found.from->name];
    return found.complete();
  };
  ImageReader reader;
  for (const std::size_t i : reading_order(files)) {
    const std::optional<Sha256> content = digest_of(files[i], digests_, reader);
    if (!content) {
      ++plan.unreadable;
      continue;
    }
    ++(is_cached(*content) ? plan.cached : plan.to_extract);
    for (int view = 1; view <= views; ++view) {
      const bool cached = is_cached(view_key(*content, static_cast<std::uint64_t>(view)));
      ++(cached ? plan.views_cached : plan.views_to_extract);
    }
  }
  return plan;
}

FeatureCache::Layout FeatureStore::layout(std::span<const Sha256> keys) const {
  return caches_.front()->layout(keys);
}

SparseRows FeatureStore::read(std::span<const Sha256> keys, const std::function<void()>& compute_again) {
  const auto has_row = [this](const Sha256& key) { return caches_.front()->contains(key); };
  for (int repairs = 0;; ++repairs) {  // each read finds one damaged segment
    auto read = caches_.front()->try_read(keys);
    if (auto* rows = std::get_if<SparseRows>(&read)) return std::move(*rows);
    const RowsLost& lost = std::get<RowsLost>(read);
    if (repairs == kMostRepairs) throw lost;
    compute_again();
    if (!std::all_of(keys.begin(), keys.end(), has_row)) throw lost;
  }
}

}  // namespace headstart
