// features/cache.cpp: see cache.hpp; the format is docs/cache-format.md. What goes wrong with the cache is a
// warning here, never a failed run, with one exception: a row that was promised by contains() and is gone
// when read() wants it.
#include "features/cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <numeric>
#include <string_view>
#include <system_error>
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
constexpr std::uint64_t kMaxExtractorBytes = std::uint64_t{1} << 20;

std::vector<std::int32_t> count_nonzeros(const CsrRows& rows) {
  std::vector<std::int32_t> counts(rows.rows());
  for (std::size_t i = 0; i < counts.size(); ++i)
    counts[i] = static_cast<std::int32_t>(rows.row_indices(i).size());
  return counts;
}

/// Copies one row to where `to` already has room for it.
void copy_row(const CsrRows& from, std::size_t from_row, CsrRows& to, std::size_t to_row) {
  const auto indices = from.row_indices(from_row);
  const auto values = from.row_values(from_row);
  const auto begin = static_cast<std::ptrdiff_t>(to.indptr[to_row]);
  assert(static_cast<std::ptrdiff_t>(indices.size()) == to.indptr[to_row + 1] - to.indptr[to_row]);
  std::copy(indices.begin(), indices.end(), to.indices.begin() + begin);
  std::copy(values.begin(), values.end(), to.values.begin() + begin);
}

}  // namespace

fs::path default_cache_folder() {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string_view(value == nullptr ? "" : value);
  };
  // The XDG specification has relative paths ignored.
  if (const fs::path xdg = variable("XDG_CACHE_HOME"); xdg.is_absolute()) return xdg / "headstart";
  if (const fs::path home = variable("HOME"); !home.empty()) return home / ".cache" / "headstart";
  throw Error{Error::Kind::kUsage, "there is no place for the cache",
              "neither XDG_CACHE_HOME nor HOME is set", "name a folder with --cache"};
}

FeatureCache::FeatureCache(const fs::path& root, const ExtractorConfiguration& configuration, Tap tap,
                           Warn warn)
    : folder_(root / configuration.fingerprint() / to_string(tap)),
      extractor_json_(configuration.canonical_json()),
      tap_(tap),
      shape_(tap_shape(tap, configuration.resize.size)),
      warn_(std::move(warn)) {
  if (const std::optional<std::string> foreign = find_foreign_configuration()) {
    usable_ = false;
    warn_(printable(
        fmt::format("the cache is not used: {}: {}: remove its folder, or name another with --cache",
                    (folder_.parent_path() / kExtractorFile).string(), *foreign)));
    return;
  }
  scan();
}

std::optional<std::string> FeatureCache::find_foreign_configuration() const {
  const fs::path file = folder_.parent_path() / kExtractorFile;
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  const auto read = read_file(file, kMaxExtractorBytes);
  if (const auto* reject = std::get_if<Reject>(&read)) return reject->reason;
  const auto expected = std::as_bytes(std::span(extractor_json_));
  const auto& found = std::get<std::vector<std::byte>>(read);
  if (std::equal(found.begin(), found.end(), expected.begin(), expected.end())) return std::nullopt;
  return "it describes another extractor than its folder's name";
}

void FeatureCache::scan() {
  std::error_code error;
  for (const fs::path& file : list_segments(folder_, error)) scan_segment(file);
  if (error) {
    warn_(printable(fmt::format("the cache is not read: {}: {}: images are extracted again", folder_.string(),
                                error.message())));
  }
}

void FeatureCache::scan_segment(const fs::path& file) {
  auto read = read_segment_file(file);
  if (const auto* fault = std::get_if<SegmentFault>(&read)) {
    if (fault->kind != SegmentFault::Kind::kGone) warn_(set_aside(file, *fault));
    return;
  }
  const SegmentFile& segment = std::get<SegmentFile>(read);
  const auto reject = [&](std::string reason) {
    warn_(set_aside(file, {SegmentFault::Kind::kDamaged, std::move(reason)}));
  };
  try {
    const SegmentHeader header = decode_segment_header(segment.bytes);
    if (header.tap != tap_ || header.shape != shape_) {
      return reject(fmt::format("it holds {} of {}x{}x{}", to_string(header.tap), header.shape.height,
                                header.shape.width, header.shape.channels));
    }
    add_source({file, segment.digest, {}}, header.keys, header.nonzeros);
  } catch (const Error& error) {
    reject(error.what());
  }
}

void FeatureCache::add_source(Source source, std::span<const Sha256> keys,
                              std::span<const std::int32_t> nonzeros) {
  const auto index = static_cast<std::int32_t>(sources_.size());
  for (std::size_t row = 0; row < keys.size(); ++row) {
    const Place place{index, static_cast<std::int32_t>(row), nonzeros[row]};
    const auto [at, is_new] = places_.try_emplace(keys[row], place);
    const std::int32_t rival = at->second.source;
    if (!is_new && rival != index && source.digest < sources_[static_cast<std::size_t>(rival)].digest)
      at->second = place;
  }
  sources_.push_back(std::move(source));
}

bool FeatureCache::contains(const Sha256& key) const { return places_.contains(key); }

std::size_t FeatureCache::rows() const noexcept { return places_.size(); }

/// @return nothing, or why `bytes` could not be stored
std::optional<std::string> FeatureCache::store(const fs::path& file, std::span<const std::byte> bytes) {
  if (!usable_) return "it is another extractor's";
  const fs::path extractor = folder_.parent_path() / kExtractorFile;
  if (!std::exchange(published_, true)) {
    remove_stale_temporaries(folder_);
    remove_stale_temporaries(folder_.parent_path());
  }
  std::error_code error;
  if (!fs::exists(extractor, error)) {
    if (auto reason = write_durably(extractor, std::as_bytes(std::span(extractor_json_)))) return reason;
  }
  if (fs::exists(file, error)) return std::nullopt;  // its name says that it has these bytes
  return write_durably(file, bytes);
}

bool FeatureCache::publish(const Segment& segment) {
  if (segment.keys.empty()) return true;
  std::vector<std::byte> bytes = encode_segment(segment);
  const Sha256 digest = sha256(bytes);
  fs::path file = folder_ / segment_file_name(digest);
  const std::optional<std::string> failure = store(file, bytes);
  if (failure && !std::exchange(warned_publish_, true)) {
    warn_(printable(
        fmt::format("features are not cached: {}: {}: they are kept in memory and computed again next time",
                    folder_.string(), *failure)));
  }
  if (!failure) bytes = {};
  add_source({std::move(file), digest, std::move(bytes)}, segment.keys, count_nonzeros(segment.rows));
  return !failure;
}

FeatureCache::Place FeatureCache::place_of(const Sha256& key) const {
  const auto place = places_.find(key);
  if (place != places_.end()) return place->second;
  throw Error{Error::Kind::kFailed, "an image's features are not in the cache",
              fmt::format("{}: image with SHA-256 {}", folder_.string(), key.hex()), "run the command again"};
}

Segment FeatureCache::load(const Source& source) const {
  if (!source.bytes.empty()) return decode_segment(source.bytes);
  auto read = read_segment_file(source.file);
  if (const auto* segment = std::get_if<SegmentFile>(&read)) {
    try {
      return decode_segment(segment->bytes);
    } catch (const Error& error) {  // written so: its digest is right
      read = SegmentFault{SegmentFault::Kind::kDamaged, error.what()};
    }
  }
  const auto& fault = std::get<SegmentFault>(read);
  if (fault.kind == SegmentFault::Kind::kDamaged) warn_(set_aside(source.file, fault));
  throw Error{Error::Kind::kFailed, "a segment of the cache can no longer be used",
              fmt::format("{}: {}", source.file.string(), fault.reason),
              "run the command again: its images are extracted again"};
}

FeatureCache::Layout FeatureCache::layout(std::span<const Sha256> keys) const {
  Layout layout;
  layout.segments.reserve(keys.size());
  for (const Sha256& key : keys) {
    const Place place = place_of(key);
    layout.nonzeros += place.nonzeros;
    layout.segments.push_back(place.source);
  }
  return layout;
}

CsrRows FeatureCache::read(std::span<const Sha256> keys) const {
  CsrRows rows;
  rows.columns = static_cast<std::int64_t>(shape_.size());
  std::vector<Place> places;
  places.reserve(keys.size());
  rows.indptr.reserve(keys.size() + 1);
  for (const Sha256& key : keys) {
    places.push_back(place_of(key));
    rows.indptr.push_back(rows.indptr.back() + places.back().nonzeros);
  }
  rows.indices.resize(static_cast<std::size_t>(rows.indptr.back()));
  rows.values.resize(rows.indices.size());

  std::vector<std::size_t> by_source(
      keys.size());  // positions in `keys`, so that each segment is opened once
  std::iota(by_source.begin(), by_source.end(), std::size_t{0});
  std::sort(by_source.begin(), by_source.end(),
            [&](std::size_t a, std::size_t b) { return places[a].source < places[b].source; });
  for (auto at = by_source.begin(); at != by_source.end();) {
    const std::int32_t source = places[*at].source;
    const Segment segment = load(sources_[static_cast<std::size_t>(source)]);
    for (; at != by_source.end() && places[*at].source == source; ++at) {
      copy_row(segment.rows, static_cast<std::size_t>(places[*at].row), rows, *at);
    }
  }
  return rows;
}

}  // namespace headstart
