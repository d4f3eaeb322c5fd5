// features/cache_listing.cpp: what `headstart cache list` tells; it looks and changes nothing.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <system_error>
#include <variant>

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

std::string unreadable(const fs::path& path, std::string_view why) {
  return printable(fmt::format("not listed: {}: {}", path.string(), why));
}

CacheListing list_tap(const fs::path& folder, const FeatureCache::Warn& warn) {
  CacheListing listing;
  listing.fingerprint = folder.parent_path().filename().string();
  listing.tap = folder.filename().string();
  fs::file_time_type newest = fs::file_time_type::min();
  std::error_code error;
  for (const fs::path& file : list_segments(folder, error)) {
    const auto read = read_segment_file(file);
    if (const auto* fault = std::get_if<SegmentFault>(&read)) {
      if (fault->kind != SegmentFault::Kind::kGone) warn(unreadable(file, fault->reason));
      continue;
    }
    const SegmentFile& segment = std::get<SegmentFile>(read);
    try {
      const SegmentHeader header = decode_segment_header(segment.bytes);
      ++listing.segments;
      listing.rows += header.keys.size();
      listing.bytes += segment.bytes.size();
      std::error_code gone;
      const fs::file_time_type written = fs::last_write_time(file, gone);
      if (!gone && written >= newest) {
        newest = written;
        listing.engine = header.origin.engine;
      }
    } catch (const Error& cause) {
      warn(unreadable(file, cause.what()));
    }
  }
  if (error) warn(unreadable(folder, error.message()));
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
