// features/cache/cache_listing.cpp: the information of `headstart cache list`.
#include <fmt/format.h>

#include <string_view>
#include <system_error>
#include <unordered_map>
#include <variant>

#include "data/error.hpp"
#include "features/cache/cache_folder.hpp"
#include "features/cache/segment.hpp"
#include "features/cache/segment_files.hpp"
#include "features/cache/segment_index.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using Warn = std::function<void(const std::string&)>;

/// The rows and non-zeros of a segment.
struct Content {
  std::uint64_t rows = 0;
  std::uint64_t nonzeros = 0;
};

std::string unreadable(const fs::path& path, std::string_view why) {
  return printable(fmt::format("not listed: {}: {}", path.string(), why));
}

/// The segments that the folder's index knows, by their digests.
std::unordered_map<Sha256, std::pair<IndexedSegment, Content>> indexed_contents(const fs::path& folder) {
  const SegmentIndex index = SegmentIndex::read(folder);
  std::vector<Content> contents(index.segments().size());
  for (const IndexedRow& row : index.rows()) {
    Content& content = contents[static_cast<std::size_t>(row.segment)];
    ++content.rows;
    content.nonzeros += static_cast<std::uint64_t>(row.nonzeros);
  }
  std::unordered_map<Sha256, std::pair<IndexedSegment, Content>> known;
  for (std::size_t i = 0; i < contents.size(); ++i)
    known.try_emplace(index.segments()[i].digest, index.segments()[i], contents[i]);
  return known;
}

/// The header of a segment; nothing after a warning.
std::optional<SegmentHeader> read_header(const fs::path& file, const Warn& warn) {
  const auto read = read_segment_file(file);
  if (const auto* fault = std::get_if<SegmentFault>(&read)) {
    if (fault->kind != SegmentFault::Kind::kGone) warn(unreadable(file, fault->reason));
    return std::nullopt;
  }
  try {
    return decode_segment_header(std::get<SegmentFile>(read).bytes);
  } catch (const Error& cause) {
    warn(unreadable(file, cause.what()));
    return std::nullopt;
  }
}

Content content_of(const SegmentHeader& header) {
  Content content{header.keys.size(), 0};
  for (const std::int32_t nonzeros : header.nonzeros)
    content.nonzeros += static_cast<std::uint64_t>(nonzeros);
  return content;
}

CacheListing list_tap(const TapFolder& folder, const Warn& warn) {
  CacheListing listing;
  listing.folder = folder;
  if (const auto configuration = configuration_of(folder)) listing.network = configuration->network.name;
  const auto known = indexed_contents(folder.path);
  std::uint64_t nonzeros = 0;
  fs::path newest;
  std::size_t columns = 0;
  std::error_code error;
  for (const fs::path& file : list_segments(folder.path, error)) {
    const std::optional<FileStamp> stamp = FileStamp::of(file);
    const Sha256 digest = *digest_in_name(file);
    const auto indexed = known.find(digest);
    Content content;
    if (stamp && indexed != known.end() && indexed->second.first == IndexedSegment(digest, *stamp)) {
      content = indexed->second.second;
    } else if (const auto header = read_header(file, warn)) {
      content = content_of(*header);
    } else {
      continue;
    }
    ++listing.segments;
    listing.rows += content.rows;
    nonzeros += content.nonzeros;
    std::error_code gone;
    listing.bytes += stamp ? stamp->bytes : 0;
    const fs::file_time_type written = fs::last_write_time(file, gone);
    if (!gone && written >= listing.newest) {
      listing.newest = written;
      newest = file;
    }
  }
  if (error) warn(unreadable(folder.path, error.message()));
  if (const auto header = newest.empty() ? std::nullopt : read_header(newest, warn)) {
    listing.engine = header->origin.engine;
    listing.storage = to_string(header->storage);
    columns = header->shape.size();
  }
  if (listing.rows > 0 && columns > 0)
    listing.density = static_cast<double>(nonzeros) / static_cast<double>(listing.rows * columns);
  return listing;
}

}  // namespace

std::vector<CacheListing> list_cache(const fs::path& root, const Warn& warn) {
  std::vector<CacheListing> listings;
  for (const TapFolder& folder : list_taps(root)) listings.push_back(list_tap(folder, warn));
  return listings;
}

}  // namespace headstart
