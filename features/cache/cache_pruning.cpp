// features/cache/cache_pruning.cpp: removes files for `headstart cache prune`. Note: the extractor.json of a
// fingerprint is removed together with its last segment. A file that headstart did not make is never removed.
#include <algorithm>
#include <stdexcept>
#include <system_error>

#include "features/cache/cache_folder.hpp"
#include "features/cache/segment_files.hpp"
#include "features/cache/segment_folder.hpp"
#include "features/cache/segment_index.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

struct PrunableFile {
  fs::path path;
  fs::file_time_type written;
  std::uint64_t bytes = 0;
};

/// Segments, and segments that were set aside as damaged.
std::vector<PrunableFile> prunable_files(const TapFolder& folder) {
  std::vector<PrunableFile> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder.path, error), end; !error && entry != end;
       entry.increment(error)) {
    fs::path name = entry->path();
    if (name.extension() == ".bad") name.replace_extension();
    if (!digest_in_name(name)) continue;
    std::error_code gone;
    const fs::file_time_type written = entry->last_write_time(gone);
    const std::uint64_t bytes = entry->file_size(gone);
    if (!gone) files.push_back({entry->path(), written, bytes});
  }
  return files;
}

/// The files to remove, the oldest first.
std::vector<PrunableFile> choose(std::vector<PrunableFile> files, const PruneOptions& options) {
  std::sort(files.begin(), files.end(), [](const PrunableFile& a, const PrunableFile& b) {
    return a.written != b.written ? a.written < b.written : a.path < b.path;
  });
  std::uint64_t left = 0;
  for (const PrunableFile& file : files) left += file.bytes;
  const fs::file_time_type now = fs::file_time_type::clock::now();
  std::vector<PrunableFile> chosen;
  for (PrunableFile& file : files) {
    if (options.max_bytes && left <= *options.max_bytes) break;
    if (options.older_than_s && now - file.written < std::chrono::seconds(*options.older_than_s)) break;
    left -= file.bytes;
    chosen.push_back(std::move(file));
  }
  return chosen;
}

/// Removes a tap folder without segments, and the folder of its fingerprint if no tap is left there.
void remove_if_empty(const TapFolder& folder) {
  std::error_code ignored;
  if (!prunable_files(folder).empty()) return;
  fs::remove(folder.path / SegmentIndex::kFile, ignored);
  fs::remove(folder.path / SegmentFolder::kLockFile, ignored);
  fs::remove(folder.path, ignored);  // fails if the folder has any other file
  const fs::path fingerprint = folder.path.parent_path();
  for (const fs::directory_entry& entry : fs::directory_iterator(fingerprint, ignored)) {
    if (entry.path().filename() != "extractor.json") return;
  }
  fs::remove(fingerprint / "extractor.json", ignored);
  fs::remove(fingerprint, ignored);
}

}  // namespace

Pruned prune_cache(const fs::path& root, const PruneOptions& options) {
  if (!options.fingerprint && !options.older_than_s && !options.max_bytes)
    throw std::invalid_argument("prune_cache: nothing says what to remove");
  const std::vector<TapFolder> folders = list_taps(root);
  const auto is_meant = [&](const TapFolder& folder) {
    return !options.fingerprint || folder.fingerprint == *options.fingerprint;
  };
  std::vector<PrunableFile> files;
  Pruned result;
  for (const TapFolder& folder : folders) {
    for (PrunableFile& file : prunable_files(folder)) {
      result.bytes_left += file.bytes;
      if (is_meant(folder)) files.push_back(std::move(file));
    }
  }
  for (const PrunableFile& file : choose(std::move(files), options)) {
    std::error_code error;
    if (!options.dry_run) fs::remove(file.path, error);
    if (error) {
      result.faults.push_back({file.path, error.message()});
      continue;
    }
    ++result.files;
    result.bytes += file.bytes;
    result.bytes_left -= file.bytes;
  }
  if (!options.dry_run) {
    for (const TapFolder& folder : folders) {
      if (is_meant(folder)) remove_if_empty(folder);
    }
  }
  return result;
}

}  // namespace headstart
