// features/cache.cpp
#include "features/cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <numeric>
#include <utility>
#include <variant>

#include "data/error.hpp"
#include "data/file_bytes.hpp"
#include "features/durable_file.hpp"
#include "features/segment_files.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExtractorFile = "extractor.json";

std::optional<std::string> text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

}  // namespace

fs::path default_cache_folder() {
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg == '/')
    return fs::path(xdg) / "headstart";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return fs::path(home) / ".cache" / "headstart";
  throw Error{Error::Kind::kUsage, "no place for the cache", "HOME and XDG_CACHE_HOME are not set",
              "name a folder with --cache"};
}

FeatureCache::FeatureCache(fs::path root, const ExtractorConfiguration& configuration, Tap tap, Warn warn)
    : root_(std::move(root)),
      folder_(root_ / configuration.fingerprint() / to_string(tap)),
      extractor_json_(configuration.canonical_json()),
      tap_(tap),
      shape_(tap_shape(tap, configuration.resize.size)),
      warn_(std::move(warn)) {
  const fs::path file = folder_.parent_path() / kExtractorFile;
  if (const auto text = text_of(file); text && *text != extractor_json_) {
    usable_ = false;
    warn_(fmt::format(
        "the cache is not used: {}: does not say what its folder's name stands for: remove the folder",
        printable(file.string())));
    return;
  }
  scan();
}

void FeatureCache::scan() {
  // By name: for two rows of one key the smallest segment name wins, on every machine.
  for (const fs::path& file : list_segments(folder_)) scan_segment(file);
}

void FeatureCache::scan_segment(const fs::path& file) {
  try {
    const SegmentFile segment = read_segment_file(file);
    const SegmentHeader header = decode_segment_header(segment.bytes);
    if (header.tap != tap_ || header.shape != shape_) {
      throw Error{Error::Kind::kFailed, "foreign segment", fmt::format("it holds {}", to_string(header.tap)),
                  "not used"};
    }
    add_source({file, segment.digest, {}}, header.keys);
  } catch (const Error& error) {
    std::error_code gone;
    if (!fs::exists(file, gone)) return;  // somebody else compacted or set it aside
    warn_(set_aside(file, error.what()));
  }
}

void FeatureCache::add_source(Source source, std::span<const Sha256> keys) {
  const auto index = static_cast<std::int32_t>(sources_.size());
  sources_.push_back(std::move(source));
  for (std::size_t row = 0; row < keys.size(); ++row) {
    places_.try_emplace(keys[row], Place{index, static_cast<std::int32_t>(row)});
  }
}

bool FeatureCache::contains(const Sha256& key) const { return places_.contains(key); }

std::size_t FeatureCache::rows() const noexcept { return places_.size(); }

std::optional<std::string> FeatureCache::store(const std::string& name, std::span<const std::byte> bytes) {
  if (!usable_) return "the folder belongs to another configuration";
  const fs::path extractor = folder_.parent_path() / kExtractorFile;
  std::error_code error;
  if (!fs::exists(extractor, error)) {
    if (auto failed = write_durably(extractor, std::as_bytes(std::span(extractor_json_)))) return failed;
  }
  const fs::path file = folder_ / name;
  if (fs::exists(file, error)) return std::nullopt;  // its name is its content
  remove_stale_temporaries(folder_);
  return write_durably(file, bytes);
}

bool FeatureCache::publish(const Segment& segment) {
  std::vector<std::byte> bytes = encode_segment(segment);
  const Sha256 digest = sha256(bytes);
  const std::string name = segment_file_name(digest);
  const std::optional<std::string> failed = store(name, bytes);
  if (failed && !warned_publish_) {
    warned_publish_ = true;
    warn_(fmt::format("features are not cached: {}: {}: this run goes on, the next one computes them again",
                      printable(folder_.string()), *failed));
  }
  if (!failed) bytes = {};
  add_source({folder_ / name, digest, std::move(bytes)}, segment.keys);
  return !failed;
}

Segment FeatureCache::load(const Source& source) const {
  if (!source.bytes.empty()) return decode_segment(source.bytes);
  const SegmentFile file = read_segment_file(source.file);
  return decode_segment(file.bytes);
}

CsrRows FeatureCache::read(std::span<const Sha256> keys) const {
  std::vector<Place> places;
  places.reserve(keys.size());
  for (const Sha256& key : keys) {
    const auto place = places_.find(key);
    if (place == places_.end()) {
      throw Error{Error::Kind::kFailed, "no cached features", fmt::format("image {}", key.hex()),
                  "run the command again"};
    }
    places.push_back(place->second);
  }
  std::vector<std::size_t> order(keys.size());  // by segment, so that each is opened once
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return places[a].segment < places[b].segment; });

  CsrRows gathered;
  gathered.columns = static_cast<std::int64_t>(shape_.size());
  for (std::size_t i = 0; i < order.size();) {
    const std::int32_t source = places[order[i]].segment;
    Segment segment;
    try {
      segment = load(sources_[static_cast<std::size_t>(source)]);
    } catch (const Error& error) {
      throw Error{Error::Kind::kFailed, "a cached segment is gone or damaged since the start",
                  fmt::format("{}: {}", printable(sources_[static_cast<std::size_t>(source)].file.string()),
                              error.what()),
                  "run the command again, it will be extracted again"};
    }
    for (; i < order.size() && places[order[i]].segment == source; ++i) {
      gathered.append_row(segment.rows, static_cast<std::size_t>(places[order[i]].row));
    }
  }
  if (std::is_sorted(order.begin(), order.end())) return gathered;

  std::vector<std::size_t> position(order.size());  // of each key's row in `gathered`
  for (std::size_t i = 0; i < order.size(); ++i) position[order[i]] = i;
  CsrRows rows;
  rows.columns = gathered.columns;
  rows.indptr.reserve(gathered.indptr.size());
  rows.indices.reserve(gathered.indices.size());
  rows.values.reserve(gathered.values.size());
  for (const std::size_t at : position) rows.append_row(gathered, at);
  return rows;
}

}  // namespace headstart
