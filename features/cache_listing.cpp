// features/cache_listing.cpp
#include <algorithm>
#include <system_error>

#include "data/error.hpp"
#include "features/cache.hpp"
#include "features/segment_files.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

/// Names of the folders in `folder`, sorted.
std::vector<std::string> folders_of(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->is_directory(error)) names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

CacheListing list_tap(const fs::path& folder, const FeatureCache::Warn& warn) {
  CacheListing listing;
  listing.fingerprint = folder.parent_path().filename().string();
  listing.tap = folder.filename().string();
  fs::file_time_type newest = fs::file_time_type::min();
  for (const fs::path& file : list_segments(folder)) {
    try {
      const SegmentFile segment = read_segment_file(file);
      const SegmentHeader header = decode_segment_header(segment.bytes);
      ++listing.segments;
      listing.rows += header.keys.size();
      listing.bytes += segment.bytes.size();
      std::error_code error;
      const auto written = fs::last_write_time(file, error);
      if (!error && written >= newest) {
        newest = written;
        listing.engine = header.origin.engine;
      }
    } catch (const Error& error) {
      warn(error.what());
    }
  }
  return listing;
}

}  // namespace

std::vector<CacheListing> list_cache(const fs::path& root, const FeatureCache::Warn& warn) {
  std::vector<CacheListing> listings;
  for (const std::string& fingerprint : folders_of(root)) {
    for (const std::string& tap : folders_of(root / fingerprint)) {
      if (parse_tap(tap)) listings.push_back(list_tap(root / fingerprint / tap, warn));
    }
  }
  return listings;
}

}  // namespace headstart
