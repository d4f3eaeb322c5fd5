// pipeline/rows/stage_one.cpp
#include "pipeline/rows/stage_one.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <variant>

#include "data/dataset/class_names.hpp"
#include "data/dataset/discovery.hpp"
#include "data/error.hpp"
#include "data/image/view.hpp"
#include "pipeline/process/interrupt.hpp"
#include "pipeline/process/text_table.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRejectsShown = 10;
constexpr std::size_t kManySmallSegments = 32;
constexpr int kMostRepairs = 100;  // of one read; with more losses the disk is not worth going on with

void report_rejects(const ExtractedDataset& dataset, Console& console) {
  std::size_t rejected = 0;
  for (std::size_t i = 0; i < dataset.manifest.samples.size(); ++i)
    report_image(dataset.manifest.samples[i], dataset.extraction.images[i], rejected, console);
  report_rejects_left_out(rejected, console);
}

/// @param shard  the shard that `dataset` is; a shard may have no usable image
void check_reject_limits(const ExtractedDataset& dataset, const ImageOptions& options,
                         const std::string& name, const Shard& shard) {
  const std::size_t total = dataset.manifest.samples.size();
  if (options.on_error == OnError::kFail && dataset.rejected > 0) {
    const auto first =
        std::find_if(dataset.extraction.images.begin(), dataset.extraction.images.end(),
                     [](const ImageResult& image) { return image.status == ImageStatus::kRejected; });
    const auto row = static_cast<std::size_t>(first - dataset.extraction.images.begin());
    throw Error{Error::Kind::kData, "an image was rejected",
                fmt::format("{}: {}", printable(dataset.manifest.samples[row].path), first->reason),
                "remove it, or pass --on-error skip"};
  }
  check_max_rejects(dataset.rejected, total, options, name);
  if (dataset.used.empty() && shard.is_whole()) {
    throw Error{Error::Kind::kData, "no usable image", fmt::format("{}: all {} were rejected", name, total),
                "look at the reasons above"};
  }
}

/// An engine that another object keeps open.
class BorrowedEngine final : public Engine {
 public:
  explicit BorrowedEngine(Engine& engine) : engine_(engine) {}

  [[nodiscard]] const EngineDescription& description() const noexcept override {
    return engine_.description();
  }
  [[nodiscard]] const Network& network() const noexcept override { return engine_.network(); }
  [[nodiscard]] int batch_size() const noexcept override { return engine_.batch_size(); }
  [[nodiscard]] int input_size() const noexcept override { return engine_.input_size(); }
  [[nodiscard]] std::optional<Tap> from() const noexcept override { return engine_.from(); }
  [[nodiscard]] std::span<const Tap> taps() const noexcept override { return engine_.taps(); }
  void run(std::span<const float> batch, std::span<const std::span<float>> outputs) override {
    engine_.run(batch, outputs);
  }

 private:
  Engine& engine_;
};

/// Marks as extracted the rows that any process has computed, although they are in the cache by now.
/// @param own  results for files rank, rank + size, ...
/// @param all  results for all files; changed
void tell_computed(std::span<const ImageResult> own, int views, ProcessGroup& processes,
                   std::span<ImageResult> all) {
  const std::size_t rows = 1 + static_cast<std::size_t>(views);
  const auto size = static_cast<std::size_t>(processes.size());
  std::vector<std::byte> computed(own.size() * rows);
  for (std::size_t i = 0; i < own.size(); ++i) {
    const auto mark = [&](std::size_t row, ImageStatus status) {
      if (status == ImageStatus::kExtracted) computed[i * rows + row] = std::byte{1};
    };
    mark(0, own[i].status);
    for (std::size_t view = 0; view < own[i].views.size(); ++view) mark(1 + view, own[i].views[view]);
  }
  std::vector<std::size_t> counts(size);
  for (std::size_t rank = 0; rank < size; ++rank) counts[rank] = (all.size() + size - 1 - rank) / size * rows;
  std::vector<std::byte> of_all(all.size() * rows);
  processes.all_gather(computed, counts, of_all);
  const std::byte* from = of_all.data();
  for (std::size_t rank = 0; rank < size; ++rank) {
    for (std::size_t i = rank; i < all.size(); i += size, from += rows) {
      const auto mark = [&](std::size_t row, ImageStatus& status) {
        if (from[row] != std::byte{0} && status == ImageStatus::kCached) status = ImageStatus::kExtracted;
      };
      mark(0, all[i].status);
      for (std::size_t view = 0; view < all[i].views.size(); ++view) mark(1 + view, all[i].views[view]);
    }
  }
}

RowsOfTaps sum_over(ProcessGroup& processes, const Network& network, const RowsOfTaps& of_this) {
  const auto size = static_cast<std::size_t>(processes.size());
  std::vector<std::uint64_t> own;  // of each of the network's taps
  for (const Tap& tap : network.taps) {
    const auto found = of_this.find(tap.name);
    own.push_back(found == of_this.end() ? 0 : found->second);
  }
  std::vector<std::uint64_t> all(size * own.size());
  const std::vector<std::size_t> counts(size, own.size() * sizeof(std::uint64_t));
  processes.all_gather(std::as_bytes(std::span(own)), counts, std::as_writable_bytes(std::span(all)));
  RowsOfTaps sum;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] > 0) sum[network.taps[i % own.size()].name] += all[i];
  }
  return sum;
}

}  // namespace

StageOne::StageOne(NetworkWeights weights, std::vector<Tap> taps, const StageOneOptions& options,
                   const Session& session)
    : weights_(std::move(weights)),
      taps_(std::move(taps)),
      options_(options),
      session_(session),
      engine_kind_(options.engine == EngineKind::kAuto ? choose_engine() : options.engine),
      cache_folder_(options.cache.empty() ? default_cache_folder() : options.cache) {
  configuration_.network = weights_.network;
  configuration_.weights_identity = weights_.identity;
  configuration_.preprocessing = weights_.preprocessing;
  configuration_.resize = options.images.resize;
  configuration_.alpha = options.images.decode.alpha;
  configuration_.ignore_exif = options.images.decode.ignore_exif;
  configuration_.range = options.images.decode.range;
  configuration_.precision = precision_of(engine_kind_);
  configuration_.storage = options.storage;
  open_caches();
  digests_ = std::make_unique<FileDigests>(cache_folder_ / "stat", !options.rehash);
}

std::unique_ptr<FeatureCache> StageOne::open_cache(const Tap& tap) const {
  return std::make_unique<FeatureCache>(
      cache_folder_, configuration_, tap,
      [&console = session_.console](const std::string& line) { console.warn(line); });
}

void StageOne::open_caches() {
  caches_.clear();
  lower_caches_.clear();
  for (const Tap& tap : taps_) caches_.push_back(open_cache(tap));
}

std::vector<FeatureCache*> StageOne::caches() const {
  std::vector<FeatureCache*> caches;
  for (const auto& cache : caches_) caches.push_back(cache.get());
  return caches;
}

FeatureCache* StageOne::lower_cache(const Tap& tap) {
  std::unique_ptr<FeatureCache>& cache = lower_caches_[tap.name];
  if (!cache) cache = open_cache(tap);
  return cache.get();
}

Extraction StageOne::run(std::vector<ImageSource> of_run, int views) {
  const std::vector<ImageSource>& files = runs_.emplace_back(Run{std::move(of_run), views}).files;
  if (session_.processes == nullptr) return run_alone(files, views);
  ProcessGroup& processes = *session_.processes;
  const auto rank = static_cast<std::size_t>(processes.rank());
  const auto size = static_cast<std::size_t>(processes.size());
  std::vector<ImageSource> share;
  for (std::size_t i = rank; i < files.size(); i += size) share.push_back(files[i]);
  Extraction own;
  try {
    own = run_alone(share, views);
  } catch (const Interrupted&) {
    own.interrupted = true;
  }
  if (any_process(&processes, own.interrupted))
    throw Interrupted("interrupted: what was done is cached; the same command goes on from there");
  open_caches();  // shows the rows that the others have published
  Extraction all = run_alone(files, views);
  if (own.engine) all.engine = own.engine;
  all.seconds += own.seconds;
  tell_computed(own.images, views, processes, all.images);
  all.from_taps = sum_over(processes, network(), own.from_taps);
  return all;
}

Extraction StageOne::run_alone(std::span<const ImageSource> files, int views) {
  Console& console = session_.console;
  ExtractionProgress shown = parts_ ? parts_->before : ExtractionProgress{};
  const auto show = [&](const ExtractionProgress& progress) {
    shown = progress;
    if (parts_) {
      shown.total = parts_->files;
      shown.done += parts_->before.done;
      shown.cached += parts_->before.cached;
      shown.rejected += parts_->before.rejected;
    }
    show_progress(console, shown);
  };
  Extraction result = parts_ ? run_part(files, views, show)
                             : extract_files(files, views, show,
                                             [this](const std::optional<Tap>& from) { return open(from); });
  if (parts_)
    parts_->before = shown;
  else
    console.progress_done();
  const bool may_compact = result.engine && session_.leads() && !result.interrupted;
  save_accelerators(may_compact ? Compact::kWhereWorthwhile : Compact::kNo);
  if (result.interrupted) {
    const auto finished =
        std::count_if(result.images.begin(), result.images.end(),
                      [](const ImageResult& image) { return image.status != ImageStatus::kSkipped; });
    throw Interrupted(
        fmt::format("interrupted: {} of {} images are done and cached; the same command goes on from there",
                    finished, files.size()));
  }
  return result;
}

void StageOne::save_accelerators(Compact compact) {
  // The index and CACHE/stat only save the next run work. If these files can't be written, nothing is lost.
  static_cast<void>(digests_->save());
  for (const auto& cache : caches_) {
    if (compact == Compact::kWhereWorthwhile && cache->small_segments() > kManySmallSegments) {
      const FeatureCache::Compaction done = cache->compact();
      if (done.merged > 0) {
        session_.console.detail(fmt::format("{}: {} small segments merged into {}", to_string(cache->tap()),
                                            done.merged, done.into));
      }
    }
    cache->save_index();
  }
  for (const auto& [tap, cache] : lower_caches_) cache->save_index();
}

Extraction StageOne::run_part(std::span<const ImageSource> files, int views,
                              const std::function<void(const ExtractionProgress&)>& on_progress) {
  return extract_files(files, views, on_progress, [this](const std::optional<Tap>& from) {
    std::unique_ptr<Engine>& engine = engines_[from ? from->name : ""];
    if (!engine) engine = open(from);
    return std::make_unique<BorrowedEngine>(*engine);
  });
}

Extraction StageOne::extract_files(std::span<const ImageSource> files, int views,
                                   const std::function<void(const ExtractionProgress&)>& on_progress,
                                   const OpenEngine& opener) {
  const Finishing finishing;
  ExtractionOptions extraction;
  extraction.decode = options_.images.decode;
  extraction.resize = options_.images.resize;
  extraction.preprocessing = weights_.preprocessing;
  extraction.views = views;
  extraction.threads = session_.threads;
  extraction.digests = digests_.get();
  extraction.reader = &reader_;
  extraction.stop = &interrupt_flag();
  extraction.on_progress = on_progress;
  extraction.lower = [this](const Tap& tap) { return lower_cache(tap); };
  Extraction result = extract(files, extraction, opener, caches());
  note_narrow_ranges(result);
  return result;
}

void StageOne::note_narrow_ranges(const Extraction& extraction) {
  const auto narrow = std::count_if(extraction.images.begin(), extraction.images.end(),
                                    [](const ImageResult& image) { return image.note == kNarrowRangeNote; });
  if (narrow == 0 || narrow_ranges_noted_) return;
  narrow_ranges_noted_ = true;
  session_.console.note(
      fmt::format("{} images of more than 8 bits use less than a quarter of their range, so that they are "
                  "nearly black here (--verbose names them): --range LOW:HIGH maps what they use, such as "
                  "--range 0:4095 or --range 1%:99%",
                  narrow));
}

std::unique_ptr<Engine> StageOne::open(const std::optional<Tap>& from) const {
  EngineOptions engine;
  engine.batch_size = options_.batch_size;
  engine.input_size = options_.images.resize.size;
  engine.from = from;
  engine.taps = taps_;
  if (from) std::erase_if(engine.taps, [&](const Tap& tap) { return !is_above(network(), tap, *from); });
  engine.threads = session_.threads;
  auto opened = open_engine(weights_, engine_kind_, engine);
  const EngineDescription& description = opened->description();
  session_.console.note(fmt::format("engine: {} ({}: {}), batch {}, {} threads", description.name,
                                    description.version, description.implementation, opened->batch_size(),
                                    session_.threads));
  return opened;
}

CsrRows StageOne::features(std::span<const Sha256> keys) {
  FeatureCache& cache = *caches_.front();
  const auto is_there = [&](const Sha256& key) { return cache.contains(key); };
  for (int repairs = 0;; ++repairs) {  // each read finds one damaged segment
    try {
      return cache.read(keys);
    } catch (const RowsLost&) {
      if (repairs == kMostRepairs || runs_.empty()) throw;
      restore_rows();
      if (!std::all_of(keys.begin(), keys.end(), is_there)) throw;
    }
  }
}

/// Runs in this process alone, because others may have lost nothing.
void StageOne::restore_rows() {
  session_.console.note("rows of the cache were lost: they are computed again");
  // The runs below are not parts of the work that the caller counts.
  const std::optional<Parts> parts = std::exchange(parts_, std::nullopt);
  for (const Run& run : runs_) static_cast<void>(run_alone(run.files, run.views));
  parts_ = parts;
}

FeatureCache::Layout StageOne::layout(std::span<const Sha256> keys) const {
  return caches_.front()->layout(keys);
}

StageOne::Plan StageOne::plan(std::span<const ImageSource> files, int views) {
  Plan plan;
  const LowerTaps lower(caches(), [this](const Tap& tap) { return lower_cache(tap); });
  const auto is_cached = [&](const Sha256& key) {
    const RowLookup found = lower.look_up(key);
    if (found.from) ++plan.from_taps[found.from->name];
    return found.complete();
  };
  ImageReader reader;
  const auto digest_of = [this, &reader](const ImageSource& source) -> std::optional<Sha256> {
    if (const std::optional<FileStamp> stamp = stamp_of(source)) {
      if (const std::optional<Sha256> known = digests_->find(*stamp, source.member)) return known;
    }
    const auto bytes = reader.read(source);
    if (std::holds_alternative<Reject>(bytes)) return std::nullopt;
    return sha256(std::get<std::vector<std::byte>>(bytes));
  };
  for (const std::size_t i : reading_order(files)) {
    const std::optional<Sha256> content = digest_of(files[i]);
    if (!content) {
      ++plan.unreadable;
      continue;
    }
    const Sha256& key = *content;
    ++(is_cached(key) ? plan.cached : plan.to_extract);
    for (int view = 1; view <= views; ++view) {
      const bool cached = is_cached(view_key(key, static_cast<std::uint64_t>(view)));
      ++(cached ? plan.views_cached : plan.views_to_extract);
    }
  }
  return plan;
}

std::vector<ImageSource> sources_of(const Manifest& manifest) {
  std::vector<ImageSource> sources;
  sources.reserve(manifest.samples.size());
  for (const Sample& sample : manifest.samples) sources.push_back(sample.source);
  return sources;
}

ViewCounts count_views(std::span<const ImageResult> images, int views) {
  ViewCounts counts;
  counts.of_each = views;
  for (const ImageResult& image : images) {
    if (image.status == ImageStatus::kRejected) continue;
    for (const ImageStatus view : image.views) {
      if (view == ImageStatus::kCached) ++counts.cached;
      if (view == ImageStatus::kExtracted) ++counts.extracted;
      if (view == ImageStatus::kRejected) ++counts.rejected;
    }
  }
  return counts;
}

void show_progress(Console& console, const ExtractionProgress& progress) {
  std::string extra;
  if (progress.cached > 0) extra = fmt::format("{} from the cache", progress.cached);
  if (progress.rejected > 0)
    extra += fmt::format("{}{} rejected", extra.empty() ? "" : ", ", progress.rejected);
  console.progress("images", progress.done, progress.total, "images", extra);
}

void report_image(const Sample& sample, const ImageResult& image, std::size_t& rejected, Console& console) {
  const std::string path = printable(sample.path);
  if (image.status == ImageStatus::kRejected) {
    const std::string line = fmt::format("rejected {}: {}", path, image.reason);
    if (rejected++ < kRejectsShown) {
      console.warn(line);
    } else {
      console.detail(line);
    }
  } else if (!image.note.empty()) {
    console.detail(fmt::format("accepted {}: {}", path, image.note));
  }
}

void report_rejects_left_out(std::size_t rejected, Console& console) {
  if (rejected <= kRejectsShown) return;
  console.warn(
      fmt::format("... and {} more images rejected (--verbose lists them all)", rejected - kRejectsShown));
}

void report_duplicates(const ExtractedDataset& dataset, Console& console) {
  std::size_t copies = 0;
  for (const DuplicateSet& set : dataset.duplicates) {
    copies += set.rows.size() - 1;
    const auto name = [&](std::size_t i) { return printable(dataset.manifest.samples[set.rows[i]].path); };
    if (set.labels_differ) {
      console.warn(
          fmt::format("the same image under two labels: {} and {}", name(0), name(set.rows.size() - 1)));
    } else if (set.splits_differ) {
      console.warn(
          fmt::format("the same image in two splits: {} and {}", name(0), name(set.rows.size() - 1)));
    }
  }
  if (const auto doubt = doubt_about_groups(dataset.manifest)) console.warn(*doubt);
  if (copies > 0) console.note(fmt::format("{} images are byte-identical copies of others", copies));
}

void check_max_rejects(std::size_t rejected, std::size_t total, const ImageOptions& options,
                       const std::string& name) {
  if (!options.max_rejects.exceeded(rejected, total)) return;
  throw Error{Error::Kind::kData, "too many images were rejected",
              fmt::format("{}: {} of {}", name, rejected, total),
              "look at the reasons, or raise --max-rejects"};
}

Manifest find_images(const fs::path& dataset, int min_classes, const ImageOptions& options,
                     Console& console) {
  Manifest manifest = discover(dataset, discovery_options(options, min_classes));
  for (const std::string& note : manifest.notes) console.note(note);
  for (const std::string& doubt : doubts_about_classes(manifest.classes)) console.warn(doubt);
  return manifest;
}

ExtractedDataset extract_dataset(const fs::path& dataset, int min_classes, const StageOneOptions& options,
                                 const Session& session, StageOne& stage_one, int views, const Shard& shard) {
  return extract_dataset(find_images(dataset, min_classes, options.images, session.console), dataset, options,
                         session, stage_one, views, shard);
}

ExtractedDataset extract_dataset(Manifest manifest, const fs::path& dataset, const StageOneOptions& options,
                                 const Session& session, StageOne& stage_one, int views, const Shard& shard) {
  ExtractedDataset result;
  result.manifest = std::move(manifest);
  keep_shard(result.manifest, shard);
  result.extraction = stage_one.run(sources_of(result.manifest), views);
  result.views = count_views(result.extraction.images, views);
  for (std::size_t i = 0; i < result.manifest.samples.size(); ++i) {
    const ImageResult& image = result.extraction.images[i];
    result.content.push_back(image.content);
    if (image.status == ImageStatus::kRejected) {
      ++result.rejected;
      continue;
    }
    ++(image.status == ImageStatus::kCached ? result.cached : result.extracted);
    result.used.push_back(i);
  }
  result.duplicates = find_duplicates(result.manifest, result.content);
  report_rejects(result, session.console);
  report_duplicates(result, session.console);
  check_reject_limits(result, options.images, printable(dataset.string()), shard);
  return result;
}

std::string class_table(const Manifest& manifest) {
  std::vector<std::size_t> counts(manifest.classes.size(), 0);
  for (const Sample& sample : manifest.samples) {
    if (sample.label != kNoLabel) ++counts[static_cast<std::size_t>(sample.label)];
  }
  std::vector<std::vector<std::string>> table{{"class", "images"}};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    table.push_back({printable(manifest.classes[i]), fmt::format("{}", counts[i])});
  }
  return text_table(table);
}

void print_plan(const fs::path& dataset, int min_classes, const Session& session, StageOne& stage_one,
                int views, const Shard& shard) {
  Manifest manifest = find_images(dataset, min_classes, stage_one.images(), session.console);
  keep_shard(manifest, shard);
  const StageOne::Plan plan = stage_one.plan(sources_of(manifest), views);
  std::string of_views;
  if (views > 0) {
    of_views = fmt::format("{} views of each: {} in the cache, {} not\n", views, plan.views_cached,
                           plan.views_to_extract);
  }
  std::string of_taps;
  for (const auto& [tap, rows] : plan.from_taps)
    of_taps += fmt::format("{} rows are computed from the cached {}, not from images\n", rows, tap);
  fmt::print("{}\n{} images: {} in the cache, {} to compute, {} unreadable\n{}{}cache: {}\n",
             class_table(manifest), manifest.samples.size(), plan.cached, plan.to_extract, plan.unreadable,
             of_views, of_taps,
             (stage_one.cache_folder() / stage_one.configuration().fingerprint()).string());
}

std::string describe(const RowsOfTaps& from_taps) {
  std::string text;
  for (const auto& [tap, rows] : from_taps) text += fmt::format("; {} rows from the cached {}", rows, tap);
  return text;
}

std::string describe(const ExtractedDataset& dataset) {
  const std::size_t total = dataset.manifest.samples.size();
  const double seconds = dataset.extraction.seconds;
  // Reading from the cache is so quick that a rate has no meaning.
  const std::string rate = dataset.extracted > 0
                               ? fmt::format(" ({:.1f} images/s)", static_cast<double>(total) / seconds)
                               : std::string();
  std::string line =
      fmt::format("{} images in {:.{}f} s{}: {} from the cache, {} computed, {} rejected", total, seconds,
                  dataset.extracted > 0 ? 1 : 3, rate, dataset.cached, dataset.extracted, dataset.rejected);
  if (const ViewCounts& views = dataset.views; views.of_each > 0) {
    line += fmt::format("; {} views of each: {} from the cache, {} computed, {} rejected", views.of_each,
                        views.cached, views.extracted, views.rejected);
  }
  return line + describe(dataset.extraction.from_taps);
}

}  // namespace headstart
