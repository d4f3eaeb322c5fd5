// features/cache/cache.cpp: see cache.hpp; the format is docs/cache-format.md. A fault of the cache is a
// warning here, never a failed run. There is one exception: contains() found a row, and the row is gone when
// read() wants it.
#include "features/cache/cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>
#include <iterator>
#include <numeric>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

#include "data/error.hpp"
#include "features/cache/segment_index.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

/// How often a folder that changes during its listing is listed again, at most.
constexpr int kMostListings = 16;

/// Copies one row to the place that `to` already has for it.
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
  // The XDG specification says that relative paths are ignored.
  if (const fs::path xdg = variable("XDG_CACHE_HOME"); xdg.is_absolute()) return xdg / "headstart";
  if (const fs::path home = variable("HOME"); !home.empty()) return home / ".cache" / "headstart";
  throw Error{Error::Kind::kUsage, "there is no place for the cache",
              "neither XDG_CACHE_HOME nor HOME is set", "name a folder with --cache"};
}

FeatureCache::FeatureCache(const fs::path& root, const ExtractorConfiguration& configuration, Tap tap,
                           Warn warn)
    : folder_(root / configuration.fingerprint() / to_string(tap), configuration.canonical_json()),
      network_(configuration.network),
      tap_(std::move(tap)),
      shape_(tap_shape(network_, tap_, configuration.resize.size)),
      storage_(configuration.storage),
      warn_(std::move(warn)) {
  if (const std::optional<std::string>& foreign = folder_.foreign()) {
    warn_(printable(
        fmt::format("the cache is not used: {}: remove its folder, or name another with --cache", *foreign)));
    return;
  }
  scan();
}

void FeatureCache::trust_index(std::span<const fs::path> files) {
  set_ = SegmentSet(SegmentIndex::read(folder_.path()));
  std::vector<std::int32_t> changed;
  for (std::size_t i = 0; i < set_.size(); ++i) {
    const auto number = static_cast<std::int32_t>(i);
    const IndexedSegment& segment = set_.segment(number);
    const fs::path file = folder_.file_of(segment.digest);
    const std::optional<FileStamp> stamp =
        std::binary_search(files.begin(), files.end(), file) ? FileStamp::of(file) : std::nullopt;
    if (!stamp || IndexedSegment(segment.digest, *stamp) != segment) changed.push_back(number);
  }
  set_.drop(changed);
}

void FeatureCache::scan() {
  // A slow listing can miss both an unlinked segment and the merged segment that was published before. So
  // only two listings that agree are trusted.
  std::vector<fs::path> before;
  for (int listing = 0; listing < kMostListings; ++listing) {
    std::error_code error;
    std::vector<fs::path> files = list_segments(folder_.path(), error);
    if (error) {
      warn_(printable(fmt::format("the cache is not read: {}: {}: images are extracted again",
                                  folder_.path().string(), error.message())));
      return;
    }
    if (files == before) return;
    before = files;
    if (set_.size() == 0 && !index_lied_) trust_index(files);
    std::erase_if(files, [&](const fs::path& file) {
      const Sha256 digest = *digest_in_name(file);
      const auto refused = refused_.find(digest);
      return set_.file(digest) || (refused != refused_.end() && FileStamp::of(file) == refused->second);
    });
    verify_segments(files, [this](const VerifiedSegment& verified) { add_file(verified); });
  }
}

void FeatureCache::add_file(const VerifiedSegment& verified) {
  if (const auto* fault = std::get_if<SegmentFault>(&verified.content)) {
    if (fault->kind != SegmentFault::Kind::kGone) refuse(verified.file, verified.stamp, *fault);
    return;
  }
  const SegmentFile& file = std::get<SegmentFile>(verified.content);
  try {
    const SegmentHeader header = fitting_header(file.bytes);
    set_.add(IndexedSegment(file.digest, verified.stamp), SegmentSet::Medium::kFile, header.keys,
             header.nonzeros);
  } catch (const Error& error) {
    refuse(verified.file, verified.stamp, {SegmentFault::Kind::kDamaged, error.what()});
  }
}

SegmentHeader FeatureCache::fitting_header(std::span<const std::byte> bytes) const {
  SegmentHeader header = decode_segment_header(bytes);
  const auto misfit = [](const std::string& what) {
    return Error{Error::Kind::kFailed, "a segment of the cache is another one's", what,
                 "extract its images again"};
  };
  if (header.tap != tap_ || header.shape != shape_) {
    throw misfit(fmt::format("it holds {} of {}x{}x{}", to_string(header.tap), header.shape.height,
                             header.shape.width, header.shape.channels));
  }
  if (header.storage != storage_)
    throw misfit(fmt::format("it holds {}, not {}", to_string(header.storage), to_string(storage_)));
  return header;
}

void FeatureCache::refuse(const fs::path& file, const FileStamp& stamp, const SegmentFault& fault) {
  warn_(set_aside(file, stamp, fault));
  refused_.insert_or_assign(*digest_in_name(file), stamp);
}

void FeatureCache::lose(const SegmentLost& lost) {
  const fs::path file = folder_.file_of(set_.segment(lost.segment).digest);
  last_loss_ = fmt::format("{}: {}", file.string(), lost.fault.reason);
  set_.drop({&lost.segment, 1});
  if (lost.fault.kind != SegmentFault::Kind::kGone) refuse(file, lost.stamp, lost.fault);
}

void FeatureCache::forget_index() {
  warn_(printable(fmt::format("the cache's index was wrong: {}: it is made anew", folder_.path().string())));
  index_lied_ = true;  // its file may stay, because the folder may be read-only
  std::error_code ignored;
  fs::remove(folder_.path() / SegmentIndex::kFile, ignored);
  set_ = {};
  for (auto& [number, bytes] : std::exchange(in_memory_, {})) {
    const SegmentHeader header = decode_segment_header(bytes);
    const IndexedSegment segment(sha256(bytes), FileStamp{});
    in_memory_.emplace(set_.add(segment, SegmentSet::Medium::kMemory, header.keys, header.nonzeros),
                       std::move(bytes));
  }
  scan();
}

void FeatureCache::save_index() {
  std::error_code error;
  if (folder_.foreign() || !set_.has_news() || !fs::is_directory(folder_.path(), error)) return;
  SegmentTable table = set_.table();
  static_cast<void>(SegmentIndex::write(folder_.path(), table.segments, std::move(table.rows)));
}

bool FeatureCache::publish(const Segment& segment) {
  if (segment.keys.empty()) return true;
  std::vector<std::byte> bytes = encode_segment(segment);
  const Sha256 digest = sha256(bytes);
  const std::optional<std::string> failure = folder_.store(digest, bytes);
  if (failure && !std::exchange(warned_publish_, true)) {
    warn_(printable(
        fmt::format("features are not cached: {}: {}: they are kept in memory and computed again next time",
                    folder_.path().string(), *failure)));
  }
  const FileStamp stamp = FileStamp::of(folder_.file_of(digest)).value_or(FileStamp{});
  const auto medium = failure ? SegmentSet::Medium::kMemory : SegmentSet::Medium::kFile;
  const std::int32_t number =
      set_.add(IndexedSegment(digest, stamp), medium, segment.keys, segment.rows.counts());
  if (failure) in_memory_.emplace(number, std::move(bytes));
  return !failure;
}

SegmentSet::Place FeatureCache::place_of(const Sha256& key) const {
  if (const std::optional<SegmentSet::Place> place = set_.find(key)) return *place;
  if (!last_loss_.empty()) {
    throw RowsLost{Error::Kind::kFailed, "a segment of the cache can no longer be used", last_loss_,
                   "run the command again: its images are extracted again"};
  }
  throw Error{Error::Kind::kFailed, "an image's features are not in the cache",
              fmt::format("{}: image with SHA-256 {}", folder_.path().string(), key.hex()),
              "run the command again"};
}

std::variant<Segment, FeatureCache::SegmentLost> FeatureCache::load(std::int32_t number) const {
  if (const auto bytes = in_memory_.find(number); bytes != in_memory_.end())
    return decode_segment(bytes->second);
  const fs::path file = folder_.file_of(set_.segment(number).digest);
  const FileStamp stamp = FileStamp::of(file).value_or(FileStamp{});
  auto loaded = load_segment(file);
  if (auto* fault = std::get_if<SegmentFault>(&loaded)) return SegmentLost{number, stamp, std::move(*fault)};
  return std::get<Segment>(std::move(loaded));
}

FeatureCache::Layout FeatureCache::layout(std::span<const Sha256> keys) const {
  Layout layout;
  layout.segments.reserve(keys.size());
  for (const Sha256& key : keys) {
    const SegmentSet::Place place = place_of(key);
    layout.nonzeros += place.nonzeros;
    layout.segments.push_back(place.segment);
  }
  return layout;
}

CsrRows FeatureCache::read(std::span<const Sha256> keys) {
  while (true) {  // each turn has one segment less, or the index is dropped
    auto result = read_once(keys);
    if (auto* rows = std::get_if<CsrRows>(&result)) return std::move(*rows);
    if (const auto* lost = std::get_if<SegmentLost>(&result)) {
      lose(*lost);
      scan();
    } else {
      forget_index();
    }
  }
}

std::variant<CsrRows, FeatureCache::SegmentLost, FeatureCache::IndexLied> FeatureCache::read_once(
    std::span<const Sha256> keys) const {
  CsrRows rows;
  rows.columns = static_cast<std::int64_t>(shape_.size());
  std::vector<SegmentSet::Place> places;
  places.reserve(keys.size());
  rows.indptr.reserve(keys.size() + 1);
  for (const Sha256& key : keys) {
    places.push_back(place_of(key));
    rows.indptr.push_back(rows.indptr.back() + places.back().nonzeros);
  }
  rows.indices.resize(static_cast<std::size_t>(rows.indptr.back()));
  rows.values.resize(rows.indices.size());

  // Positions in `keys`, sorted so that each segment is opened once.
  std::vector<std::size_t> by_segment(keys.size());
  std::iota(by_segment.begin(), by_segment.end(), std::size_t{0});
  std::sort(by_segment.begin(), by_segment.end(),
            [&](std::size_t a, std::size_t b) { return places[a].segment < places[b].segment; });
  for (auto at = by_segment.begin(); at != by_segment.end();) {
    const std::int32_t number = places[*at].segment;
    auto loaded = load(number);
    if (auto* lost = std::get_if<SegmentLost>(&loaded)) return std::move(*lost);
    const Segment& segment = std::get<Segment>(loaded);
    for (; at != by_segment.end() && places[*at].segment == number; ++at) {
      const auto row = static_cast<std::size_t>(places[*at].row);
      if (row >= segment.keys.size() || segment.keys[row] != keys[*at] ||
          static_cast<std::int32_t>(segment.rows.row_indices(row).size()) != places[*at].nonzeros)
        return IndexLied{};
      copy_row(segment.rows, row, rows, *at);
    }
  }
  return rows;
}

std::vector<SourceSegment> FeatureCache::sources_of(std::span<const Sha256> names) {
  std::vector<fs::path> files;
  std::transform(names.begin(), names.end(), std::back_inserter(files),
                 [this](const Sha256& name) { return folder_.file_of(name); });
  std::vector<SourceSegment> sources;
  verify_segments(files, [&](const VerifiedSegment& verified) {
    const std::int32_t number = *set_.file(*digest_in_name(verified.file));
    if (const auto* fault = std::get_if<SegmentFault>(&verified.content))
      return lose({number, verified.stamp, *fault});
    const SegmentFile& file = std::get<SegmentFile>(verified.content);
    try {
      sources.push_back({file.digest, file.bytes.size(), fitting_header(file.bytes)});
    } catch (const Error& error) {  // only an index took it for a segment of this cache
      lose({number, verified.stamp, {SegmentFault::Kind::kDamaged, error.what()}});
    }
  });
  return sources;
}

CompactionPlan FeatureCache::make_plan(const CompactionSettings& settings) {
  while (true) {  // twice at most: the second time there is no index that could be wrong
    const SegmentTable table = set_.table();
    std::vector<SourceSegment> sources = sources_of(segments_to_merge(table, settings.small_bytes()));
    if (tells_truth(table, sources)) return plan_compaction(std::move(sources), settings.merged_bytes);
    if (index_lied_) return {};
    forget_index();
  }
}

FeatureCache::Compaction FeatureCache::compact(const CompactionSettings& settings) {
  Compaction result;
  if (folder_.foreign() || segments_to_merge(set_.table(), settings.small_bytes()).size() < 2) return result;
  const FolderLock lock = settings.lock ? folder_.lock() : FolderLock{FolderLock::State::kImpossible};
  result.elsewhere = lock.state == FolderLock::State::kTaken;
  if (result.elsewhere) return result;
  if (lock.state == FolderLock::State::kUnwritable) {
    warn_not_compacted(lock.reason);
    return result;
  }
  scan();  // finds the results of other compactions
  const CompactionPlan plan = make_plan(settings);
  const CompactionOutcome outcome = carry_out(plan, folder_, settings);
  if (outcome.failure) warn_not_compacted(*outcome.failure);
  for (const CompactionOutcome::Lost& lost : outcome.lost) {
    if (const auto number = set_.file(lost.digest)) lose({*number, lost.stamp, lost.fault});
  }
  std::vector<std::int32_t> unlinked;
  for (const Sha256& digest : outcome.unlinked) {
    if (const auto number = set_.file(digest)) {
      unlinked.push_back(*number);
      result.bytes_before += set_.segment(*number).bytes;
    }
  }
  set_.drop(unlinked);
  for (const CompactionOutcome::Published& published : outcome.published) {
    const SegmentHeader& header = published.header;
    set_.add(IndexedSegment(published.digest, published.stamp), SegmentSet::Medium::kFile, header.keys,
             header.nonzeros);
    result.bytes_after += published.stamp.bytes;
  }
  result.merged = outcome.unlinked.size();
  result.into = outcome.published.size();
  scan();  // lost rows may be in other segments
  save_index();
  return result;
}

void FeatureCache::warn_not_compacted(std::string_view reason) {
  warn_(printable(fmt::format("the cache is not compacted: {}: {}: segments stay as they are",
                              folder_.path().string(), reason)));
}

}  // namespace headstart
