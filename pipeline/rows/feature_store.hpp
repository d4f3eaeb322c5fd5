// pipeline/rows/feature_store.hpp: the cached rows of one command: a cache for each tap, which images have
// their rows there, and the rows themselves. A row that is lost is computed again by whoever can.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/archive/image_source.hpp"
#include "data/sha256.hpp"
#include "features/cache/cache.hpp"
#include "features/cache/extractor_configuration.hpp"
#include "features/cache/file_digests.hpp"
#include "features/extraction/lower_taps.hpp"
#include "memory/sparse_rows.hpp"
#include "pipeline/options/stage_one_options.hpp"
#include "pipeline/process/console.hpp"

namespace headstart {

/// How many files and views are cached, and how many would have to go through the network.
struct ExtractionPlan {
  std::size_t cached = 0;
  std::size_t to_extract = 0;
  std::size_t unreadable = 0;
  std::size_t views_cached = 0;
  std::size_t views_to_extract = 0;
  RowsOfTaps from_taps{};  ///< of the rows to extract, views included: how many from each cached tap
};

/// The caches of one configuration.
class FeatureStore {
 public:
  /// @param taps     whose caches are filled; the first one's rows are read
  /// @param console  receives the caches' warnings; must outlive this
  FeatureStore(const ExtractorConfiguration& configuration, std::vector<Tap> taps,
               const StageOneOptions& options, Console& console);

  /// The settings that decide the values of the rows.
  [[nodiscard]] const ExtractorConfiguration& configuration() const noexcept { return configuration_; }
  /// As given.
  [[nodiscard]] std::span<const Tap> taps() const noexcept { return taps_; }
  /// The folder of all caches.
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  /// SHA-256 of files, by what stat() says of them.
  [[nodiscard]] FileDigests& digests() noexcept { return digests_; }
  /// The caches of taps(), in that order.
  [[nodiscard]] std::vector<FeatureCache*> caches() const;
  /// The cache of a lower tap (nearer to the input), opened at the first call.
  [[nodiscard]] FeatureCache* lower_cache(const Tap& tap);

  /// Opens the caches again. Then they show the rows that other processes have published.
  void open_again();
  /// Whether small segments are merged.
  enum class Compact { kNo, kWhereWorthwhile };
  /// Saves the caches' indexes and CACHE/stat if they changed. If there are many small segments, merges them
  /// first.
  void save_accelerators(Compact compact);

  /// Which of `files` and their views are cached. Reads and hashes the files that CACHE/stat does not know.
  /// Opens the caches of lower taps. @param views  of each image, besides the image itself
  [[nodiscard]] ExtractionPlan plan(std::span<const ImageSource> files, int views);

  /// The sizes of the rows at taps()[0], and where they are stored. @throws RowsLost if a key has no row
  [[nodiscard]] FeatureCache::Layout layout(std::span<const Sha256> keys) const;
  /// The rows of `keys` at taps()[0], in order. Called from one thread at a time.
  /// @param compute_again  called when rows are lost, and again if more are found to be lost
  /// @throws RowsLost if that does not restore the rows
  [[nodiscard]] SparseRows read(std::span<const Sha256> keys, const std::function<void()>& compute_again);

 private:
  [[nodiscard]] std::unique_ptr<FeatureCache> open(const Tap& tap) const;

  ExtractorConfiguration configuration_;
  std::vector<Tap> taps_;
  Console& console_;
  std::filesystem::path folder_;
  std::vector<std::unique_ptr<FeatureCache>> caches_;
  // By tap; those that were searched for a row.
  std::map<std::string, std::unique_ptr<FeatureCache>> lower_caches_;
  FileDigests digests_;
};

}  // namespace headstart
