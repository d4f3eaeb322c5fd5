// features/cache/cache_folder.hpp: the folders and files of a CACHE, from any process, for the command
// `headstart cache`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "features/cache/extractor_configuration.hpp"
#include "features/network/network.hpp"

namespace headstart {

/// $XDG_CACHE_HOME/headstart, else ~/.cache/headstart.
[[nodiscard]] std::filesystem::path default_cache_folder();

/// CACHE/fingerprint/tap.
struct TapFolder {
  std::string fingerprint;
  Tap tap{};
  std::filesystem::path path;
};

/// The tap folders of a cache, sorted by fingerprint and tap. Empty if `root` does not exist.
/// @throws Error kFailed if `root` exists and can't be listed
[[nodiscard]] std::vector<TapFolder> list_taps(const std::filesystem::path& root);

/// The configuration that the rows of a tap folder depend on. Nothing if its extractor.json does not match
/// the fingerprint.
[[nodiscard]] std::optional<ExtractorConfiguration> configuration_of(const TapFolder& folder);

/// The content of a tap folder.
struct CacheListing {
  TapFolder folder;
  std::string network;  ///< empty if extractor.json can't be read
  std::uint64_t segments = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  double density = 0.0;  ///< share of the activations that are not zero
  std::string engine;    ///< of the newest segment
  std::string storage;   ///< "float32" or "float16", of the newest segment
  std::filesystem::file_time_type newest = std::filesystem::file_time_type::min();
};
/// Reads the folders' indexes, and the segments that the indexes don't know. Changes nothing.
/// @param warn  receives a line for every segment that can't be used
[[nodiscard]] std::vector<CacheListing> list_cache(const std::filesystem::path& root,
                                                   const std::function<void(const std::string&)>& warn);

/// A fault of a file or folder of a cache.
struct CacheFault {
  std::filesystem::path path;
  std::string reason;
};
/// The result of verify_cache().
struct CacheVerification {
  std::uint64_t segments = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::vector<CacheFault> faults;
};
/// Reads every segment completely: its digest, every dataset and value, its tap, shape and storage. Also
/// reads every extractor.json. Changes nothing.
/// @param on_progress  receives the number of segments that are done, and of all segments
[[nodiscard]] CacheVerification verify_cache(
    const std::filesystem::path& root,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& on_progress);

/// Which segments to remove. A segment is removed if it meets all given conditions.
struct PruneOptions {
  std::optional<std::string> fingerprint{};    ///< only of this one; alone: all of it
  std::optional<std::int64_t> older_than_s{};  ///< written this many seconds ago or earlier
  std::optional<std::uint64_t> max_bytes{};    ///< remove the oldest until this much is left
  bool dry_run = false;
};
/// The result of prune_cache().
struct Pruned {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_left = 0;    ///< of the whole cache
  std::vector<CacheFault> faults;  ///< files that could not be removed
};
/// Removes whole segments, and segments that were set aside as damaged. A folder is removed together with its
/// last segment.
/// @throws std::invalid_argument if no condition is given
[[nodiscard]] Pruned prune_cache(const std::filesystem::path& root, const PruneOptions& options);

}  // namespace headstart
