// features/cache/cache_listing.cpp: the information of `headstart cache list`.
#include <fmt/format.h>

#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
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

/// The segments that a folder's index knows, by their digests.
using IndexedContents = std::unordered_map<Sha256, std::pair<IndexedSegment, Content>>;

IndexedContents indexed_contents(const fs::path& folder) {
  const SegmentIndex index = SegmentIndex::read(folder);
  std::vector<Content> contents(index.segments().size());
  for (const IndexedRow& row : index.rows()) {
    Content& content = contents[static_cast<std::size_t>(row.segment)];
    ++content.rows;
    content.nonzeros += static_cast<std::uint64_t>(row.nonzeros);
  }
  IndexedContents known;
  for (std::size_t i = 0; i < contents.size(); ++i)
    known.try_emplace(index.segments()[i].digest, index.segments()[i], contents[i]);
  return known;
}

/// The header of a segment; nothing after a warning.
std::optional<SegmentHeader> read_header(const fs::path& file, const Warn& warn) {
  auto header = header_of(read_segment_file(file));
  if (auto* found = std::get_if<SegmentHeader>(&header)) return std::move(*found);
  const SegmentFault& fault = std::get<SegmentFault>(header);
  if (fault.kind != SegmentFault::Kind::kGone) warn(unreadable(file, fault.reason));
  return std::nullopt;
}

Content content_of(const SegmentHeader& header) {
  Content content{header.keys.size(), 0};
  for (const std::int32_t nonzeros : header.nonzeros)
    content.nonzeros += static_cast<std::uint64_t>(nonzeros);
  return content;
}

/// The content of a segment: by the index if its file has not changed since, else by its header.
std::optional<Content> content_of(const fs::path& file, const std::optional<FileStamp>& stamp,
                                  const IndexedContents& known, const Warn& warn) {
  const Sha256 digest = *digest_in_name(file);
  const auto indexed = known.find(digest);
  if (stamp && indexed != known.end() && indexed->second.first == IndexedSegment(digest, *stamp))
    return indexed->second.second;
  const std::optional<SegmentHeader> header = read_header(file, warn);
  return header ? std::optional(content_of(*header)) : std::nullopt;
}

CacheListing list_tap(const TapFolder& folder, const Warn& warn) {
  CacheListing listing;
  listing.folder = folder;
  if (const auto configuration = configuration_of(folder)) listing.network = configuration->network.name;
  const IndexedContents known = indexed_contents(folder.path);
  std::uint64_t nonzeros = 0;
  fs::path newest;
  std::error_code error;
  for (const fs::path& file : list_segments(folder.path, error)) {
    const std::optional<FileStamp> stamp = FileStamp::of(file);
    const std::optional<Content> content = content_of(file, stamp, known, warn);
    if (!content) continue;
    ++listing.segments;
    listing.rows += content->rows;
    nonzeros += content->nonzeros;
    listing.bytes += stamp ? stamp->bytes : 0;
    std::error_code gone;
    const fs::file_time_type written = fs::last_write_time(file, gone);
    if (gone || written < listing.newest) continue;
    listing.newest = written;
    newest = file;
  }
  if (error) warn(unreadable(folder.path, error.message()));
  const auto header = newest.empty() ? std::nullopt : read_header(newest, warn);
  if (!header) return listing;
  listing.engine = header->origin.engine;
  listing.storage = to_string(header->storage);
  if (listing.rows > 0) {
    listing.density =
        static_cast<double>(nonzeros) / static_cast<double>(listing.rows * header->shape.size());
  }
  return listing;
}

}  // namespace

std::vector<CacheListing> list_cache(const fs::path& root, const Warn& warn) {
  std::vector<CacheListing> listings;
  for (const TapFolder& folder : list_taps(root)) listings.push_back(list_tap(folder, warn));
  return listings;
}

}  // namespace headstart
