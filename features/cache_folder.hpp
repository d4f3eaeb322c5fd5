// features/cache_folder.hpp: the folders and files of a CACHE, whoever wrote them: what `headstart cache`
// works on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "features/extractor_configuration.hpp"
#include "features/vgg16.hpp"

namespace headstart {

/// CACHE/fingerprint/tap.
struct TapFolder {
  std::string fingerprint;
  Tap tap = Tap::kBlock5Pool;
  std::filesystem::path path;
};

/// The tap folders of a cache, sorted by fingerprint and tap. Nothing for a folder that is not there.
/// @throws Error kFailed if `root` is there and can't be listed
[[nodiscard]] std::vector<TapFolder> list_taps(const std::filesystem::path& root);

/// What the rows of a tap folder depend on; nothing unless its extractor.json is the one that the
/// fingerprint stands for.
[[nodiscard]] std::optional<ExtractorConfiguration> configuration_of(const TapFolder& folder);

/// What a tap folder holds.
struct CacheListing {
  TapFolder folder;
  std::uint64_t segments = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  double density = 0.0;  ///< share of the activations that are not zero
  std::string engine;    ///< of the newest segment
  std::string storage;   ///< "float32" or "float16", of the newest segment
  std::filesystem::file_time_type newest = std::filesystem::file_time_type::min();
};
/// Reads the folders' indexes and what these don't know; changes nothing.
/// @param warn  receives a line for every segment that can't be used
[[nodiscard]] std::vector<CacheListing> list_cache(const std::filesystem::path& root,
                                                   const std::function<void(const std::string&)>& warn);

/// What is wrong with a file or folder of a cache.
struct CacheFault {
  std::filesystem::path path;
  std::string reason;
};
/// What verify_cache() found.
struct CacheVerification {
  std::uint64_t segments = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::vector<CacheFault> faults;
};
/// Reads every segment whole: its digest, every dataset and value, its tap, shape and storage; and every
/// extractor.json. Changes nothing.
/// @param on_progress  told how many segments of how many are done
[[nodiscard]] CacheVerification verify_cache(
    const std::filesystem::path& root,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& on_progress);

/// What to remove. All that is given has to hold.
struct PruneOptions {
  std::optional<std::string> fingerprint{};    ///< only of this one; nothing else given: all of it
  std::optional<std::int64_t> older_than_s{};  ///< written so many seconds ago or earlier
  std::optional<std::uint64_t> max_bytes{};    ///< the oldest, until so much is left
  bool dry_run = false;
};
/// What prune_cache() removed.
struct Pruned {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_left = 0;    ///< of the whole cache
  std::vector<CacheFault> faults;  ///< files that would not go
};
/// Removes segments, whole ones only, and those that were set aside as damaged; with its last segment a
/// folder goes too.
/// @throws std::invalid_argument if nothing is given
[[nodiscard]] Pruned prune_cache(const std::filesystem::path& root, const PruneOptions& options);

}  // namespace headstart
