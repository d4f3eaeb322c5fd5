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
#include <unordered_set>
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
      storage_(configuration.storage),
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
  const auto read = read_file(file, ExtractorConfiguration::kMaxJsonBytes);
  if (const auto* reject = std::get_if<Reject>(&read)) return reject->reason;
  const auto expected = std::as_bytes(std::span(extractor_json_));
  const auto& found = std::get<std::vector<std::byte>>(read);
  if (std::equal(found.begin(), found.end(), expected.begin(), expected.end())) return std::nullopt;
  return "it describes another extractor than its folder's name";
}

void FeatureCache::trust_index(std::span<const fs::path> files) {
  index_ = SegmentIndex::read(folder_);
  for (const IndexedSegment& segment : index_.segments()) {
    Source source{folder_ / segment_file_name(segment.digest), segment, {}};
    const auto listed = std::lower_bound(files.begin(), files.end(), source.file);
    const std::optional<FileStamp> stamp =
        listed != files.end() && *listed == source.file ? FileStamp::of(source.file) : std::nullopt;
    source.usable = stamp && IndexedSegment(segment.digest, *stamp) == segment;
    sources_.push_back(std::move(source));
  }
}

void FeatureCache::scan() {
  std::error_code error;
  std::vector<fs::path> files = list_segments(folder_, error);
  if (error) {
    warn_(printable(fmt::format("the cache is not read: {}: {}: images are extracted again", folder_.string(),
                                error.message())));
  }
  if (sources_.empty() && !files.empty()) trust_index(files);
  std::unordered_set<std::string> known;
  for (const Source& source : sources_) {
    if (source.usable) known.insert(source.file.native());
  }
  std::erase_if(files, [&](const fs::path& file) { return known.contains(file.native()); });
  verify_segments(files, [&](const VerifiedSegment& verified) {
    if (const auto* fault = std::get_if<SegmentFault>(&verified.content)) {
      if (fault->kind != SegmentFault::Kind::kGone) warn_(set_aside(verified.file, *fault));
    } else {
      add_segment(verified.file, verified.stamp, std::get<SegmentFile>(verified.content).bytes);
    }
  });
}

void FeatureCache::add_segment(const fs::path& file, const FileStamp& stamp,
                               std::span<const std::byte> bytes) {
  const auto reject = [&](std::string reason) {
    warn_(set_aside(file, {SegmentFault::Kind::kDamaged, std::move(reason)}));
  };
  try {
    const SegmentHeader header = decode_segment_header(bytes);
    if (header.tap != tap_ || header.shape != shape_) {
      return reject(fmt::format("it holds {} of {}x{}x{}", to_string(header.tap), header.shape.height,
                                header.shape.width, header.shape.channels));
    }
    if (header.storage != storage_) {
      return reject(fmt::format("it holds {}, not {}", to_string(header.storage), to_string(storage_)));
    }
    add_source({file, IndexedSegment(*digest_in_name(file), stamp), {}}, header.keys, header.nonzeros);
  } catch (const Error& error) {
    reject(error.what());
  }
}

void FeatureCache::add_source(Source source, std::span<const Sha256> keys,
                              std::span<const std::int32_t> nonzeros) {
  const auto index = static_cast<std::int32_t>(sources_.size());
  sources_.push_back(std::move(source));
  for (std::size_t row = 0; row < keys.size(); ++row) {
    added_.push_back({keys[row], index, static_cast<std::int32_t>(row), nonzeros[row]});
    add_row(added_.back());
  }
}

void FeatureCache::add_row(const IndexedRow& row) {
  const Place place{row.segment, row.row, row.nonzeros};
  const auto [at, is_new] = of_added_.try_emplace(row.key, place);
  const auto digest = [this](std::int32_t source) -> const Sha256& {
    return sources_[static_cast<std::size_t>(source)].segment.digest;
  };
  if (!is_new && digest(row.segment) < digest(at->second.source)) at->second = place;
}

void FeatureCache::lose(const SourceLost& lost) {
  Source& source = sources_[static_cast<std::size_t>(lost.source)];
  source.usable = false;
  last_loss_ = fmt::format("{}: {}", source.file.string(), lost.reason);
  refile_added();
  scan();
}

void FeatureCache::refile_added() {
  of_added_.clear();
  std::erase_if(added_, [this](const IndexedRow& row) {
    return !sources_[static_cast<std::size_t>(row.segment)].usable;
  });
  for (const IndexedRow& row : added_) add_row(row);
}

void FeatureCache::forget_index() {
  warn_(printable(fmt::format("the cache's index was wrong: {}: it is made anew", folder_.string())));
  index_ = {};
  std::error_code ignored;
  fs::remove(folder_ / "index", ignored);
  const std::vector<Source> sources = std::exchange(sources_, {});
  added_.clear();
  of_added_.clear();
  for (const Source& source : sources) {
    if (source.bytes.empty()) continue;
    const SegmentHeader header = decode_segment_header(source.bytes);
    add_source(source, header.keys, header.nonzeros);
  }
  scan();
}

std::optional<FeatureCache::Place> FeatureCache::find(const Sha256& key) const {
  std::optional<Place> best;
  const auto consider = [&](const Place& place) {
    const auto& source = sources_[static_cast<std::size_t>(place.source)];
    if (!source.usable) return;
    if (!best || source.segment.digest < sources_[static_cast<std::size_t>(best->source)].segment.digest)
      best = place;
  };
  for (const IndexedRow& row : index_.rows_of(key)) consider({row.segment, row.row, row.nonzeros});
  if (const auto added = of_added_.find(key); added != of_added_.end()) consider(added->second);
  return best;
}

bool FeatureCache::contains(const Sha256& key) const { return find(key).has_value(); }

std::size_t FeatureCache::rows() const {
  std::size_t count = of_added_.size();
  const std::span<const IndexedRow> rows = index_.rows();
  for (std::size_t first = 0; first < rows.size();) {
    std::size_t end = first;
    bool usable = false;
    for (; end < rows.size() && rows[end].key == rows[first].key; ++end)
      usable |= sources_[static_cast<std::size_t>(rows[end].segment)].usable;
    if (usable && !of_added_.contains(rows[first].key)) ++count;
    first = end;
  }
  return count;
}

void FeatureCache::save_index() {
  const bool all_usable =
      std::all_of(sources_.begin(), sources_.end(), [](const Source& source) { return source.usable; });
  const bool news = sources_.size() != index_.segments().size() || !all_usable;
  std::error_code error;
  if (!usable_ || !news || !fs::is_directory(folder_, error)) return;
  // In the order of their names, so that of a key's rows the first is the winner.
  std::vector<std::int32_t> order;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].usable && sources_[i].bytes.empty()) order.push_back(static_cast<std::int32_t>(i));
  }
  const auto segment_of = [this](std::int32_t source) -> const IndexedSegment& {
    return sources_[static_cast<std::size_t>(source)].segment;
  };
  std::sort(order.begin(), order.end(),
            [&](std::int32_t a, std::int32_t b) { return segment_of(a).digest < segment_of(b).digest; });
  constexpr std::int32_t kGone = -1;
  std::vector<std::int32_t> number(sources_.size(), kGone);
  std::vector<IndexedSegment> segments;
  for (const std::int32_t source : order) {
    number[static_cast<std::size_t>(source)] = static_cast<std::int32_t>(segments.size());
    segments.push_back(segment_of(source));
  }
  std::vector<IndexedRow> rows;
  rows.reserve(index_.rows().size() + added_.size());
  const auto keep = [&](std::span<const IndexedRow> more) {
    for (IndexedRow row : more) {
      row.segment = number[static_cast<std::size_t>(row.segment)];
      if (row.segment != kGone) rows.push_back(row);
    }
  };
  keep(index_.rows());
  keep(added_);
  static_cast<void>(SegmentIndex::write(folder_, segments, std::move(rows)));
}

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
  if (!failure) bytes = std::vector<std::byte>();  // not {}, which keeps the memory
  const IndexedSegment indexed(digest, FileStamp::of(file).value_or(FileStamp{}));
  add_source({std::move(file), indexed, std::move(bytes)}, segment.keys, segment.rows.counts());
  return !failure;
}

FeatureCache::Place FeatureCache::place_of(const Sha256& key) const {
  if (const std::optional<Place> place = find(key)) return *place;
  if (!last_loss_.empty()) {
    throw RowsLost{Error::Kind::kFailed, "a segment of the cache can no longer be used", last_loss_,
                   "run the command again: its images are extracted again"};
  }
  throw Error{Error::Kind::kFailed, "an image's features are not in the cache",
              fmt::format("{}: image with SHA-256 {}", folder_.string(), key.hex()), "run the command again"};
}

Segment FeatureCache::load(std::int32_t index) const {
  const Source& source = sources_[static_cast<std::size_t>(index)];
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
  throw SourceLost{index, fault.reason};
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

CsrRows FeatureCache::read(std::span<const Sha256> keys) {
  while (true) {  // each turn has one source less, or no index
    try {
      return read_once(keys);
    } catch (const SourceLost& lost) {
      lose(lost);
    } catch (const IndexLied&) {
      forget_index();
    }
  }
}

CsrRows FeatureCache::read_once(std::span<const Sha256> keys) const {
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
    const Segment segment = load(source);
    for (; at != by_source.end() && places[*at].source == source; ++at) {
      const auto row = static_cast<std::size_t>(places[*at].row);
      if (row >= segment.keys.size() || segment.keys[row] != keys[*at] ||
          static_cast<std::int32_t>(segment.rows.row_indices(row).size()) != places[*at].nonzeros)
        throw IndexLied{};
      copy_row(segment.rows, row, rows, *at);
    }
  }
  return rows;
}

}  // namespace headstart
