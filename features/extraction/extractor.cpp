// features/extraction/extractor.cpp: the pipeline of extractor.hpp as six filters over a ring of items.
//   begin, which reads members of archives (serial) -> identify (parallel) -> look up (serial) ->
//   read, decode, resize (parallel) -> network (serial) -> publish (serial)
// Then compute_from_taps() computes rows that are cached at a lower tap (nearer to the image), in the order
// of their segments. If a segment proves damaged, the pipeline runs once more for its images. Serial filters
// run in the order of the files. So the first of several files with the same bytes is always the decoded one.
// Rows reach the network in order: an image, then its views. A decoded image lives only within its filter.
// Preprocessed rows live in their item until the network has taken them. The network's OpenMP threads and
// these threads share the cores. libgomp's default waiting is not changed: 393 images took 25.1 s of
// processor time with it, 25.0 with OMP_WAIT_POLICY=passive, 23.9 with active.
#include "features/extraction/extractor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "features/extraction/cache_writer.hpp"
#include "features/extraction/feature_batch.hpp"
#include "features/extraction/pending_image.hpp"
#include "features/extraction/slot_pipeline.hpp"

namespace headstart {
namespace {

using Clock = std::chrono::steady_clock;

/// A row on its way through the network.
struct Waiting {
  std::size_t index = 0;  // of its file
  MissingRow row;
};

/// An engine with its batches. The engine begins at the image or at a tap.
struct Pass {
  std::unique_ptr<FeatureBatch> batch;
  std::vector<std::size_t> caches;  // the caches of the engine's taps
  std::vector<Waiting> gathered;    // one for each row of the batch that is being gathered
  std::vector<Waiting> running;     // one for each row of the batch in the network
};

/// How many preprocessed rows may wait while the network is busy: enough for its next batch, within 64 MiB.
/// The batch size isn't known when the pipeline starts, because the engine opens at the first miss.
std::size_t rows_ahead(int input_size) {
  const auto size = static_cast<std::size_t>(input_size);
  return std::clamp((std::size_t{64} << 20U) / (size * size * 3 * sizeof(float)), std::size_t{1},
                    std::size_t{64});
}

class Extractor {
 public:
  Extractor(std::span<const ImageSource> files, const ExtractionOptions& options,
            const OpenEngine& open_engine, std::span<FeatureCache* const> caches)
      : files_(files),
        order_(reading_order(files)),
        options_(options),
        reader_(options.reader != nullptr ? *options.reader : own_reader_),
        open_engine_(open_engine),
        taps_(taps_of(caches)),
        network_(caches.front()->network()),
        storage_(caches.front()->storage()),
        lower_(caches, options.lower),
        writer_(caches, lower_) {
    if (options.views < 0 || options.views > kMaxViews) throw std::logic_error("extract: views out of range");
    ImageResult skipped;
    skipped.views.resize(static_cast<std::size_t>(options.views), ImageStatus::kSkipped);
    extraction_.images.resize(files.size(), skipped);
    of_tap_.resize(network_.taps.size());
    unsettled_.resize(files.size(), 0);
    progress_.total = files.size();
  }

  Extraction run() {
    const Clock::time_point start = Clock::now();
    try {
      run_pipeline();
      compute_from_taps();
      if (keep_lost_files()) run_pipeline();
    } catch (...) {
      writer_.publish_all();
      throw;
    }
    writer_.publish_all();
    settle_duplicates();
    report_final_progress();
    extraction_.interrupted =
        std::any_of(extraction_.images.begin(), extraction_.images.end(), is_unfinished);
    extraction_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return std::move(extraction_);
  }

 private:
  static std::vector<Tap> taps_of(std::span<FeatureCache* const> caches) {
    std::vector<Tap> taps;
    for (const FeatureCache* cache : caches) taps.push_back(cache->tap());
    const auto is_different = [&](const FeatureCache* cache) {
      return cache->storage() != caches.front()->storage() || cache->network() != caches.front()->network();
    };
    if (taps.empty() || std::any_of(caches.begin(), caches.end(), is_different))
      throw std::logic_error("extract: needs one cache for each tap, all of one configuration");
    return taps;
  }

  /// How many files may be in the pipeline. With views there are fewer, so that about as many rows wait. But
  /// there are enough for every thread.
  [[nodiscard]] std::size_t files_in_flight() const {
    const std::size_t threads = slot_threads(options_.threads);
    const std::size_t rows = 2 * threads + rows_ahead(options_.resize.size);
    return std::max(rows / (static_cast<std::size_t>(options_.views) + 1), threads + 1);
  }

  void run_pipeline() {
    const std::size_t in_flight = files_in_flight();
    items_.resize(in_flight);
    using enum SlotFilter::Order;
    const std::array filters{
        SlotFilter{kParallel,
                   [this](std::size_t slot) {
                     PendingImage& item = items_[slot];
                     if (!stopped()) identify_image(options_, files_[item.index], item);
                   }},
        SlotFilter{kSerial, [this](std::size_t slot) { look_up(items_[slot]); }},
        SlotFilter{kParallel,
                   [this](std::size_t slot) {
                     PendingImage& item = items_[slot];
                     if (stopped()) return item.leave();
                     decode_rows(options_, files_[item.index].file, large_images_, item);
                   }},
        SlotFilter{kSerial, [this](std::size_t slot) { feed(items_[slot]); }},
        SlotFilter{kSerial,
                   [this](std::size_t slot) {
                     if (items_[slot].ran_network) writer_.publish_due();
                   }},
    };
    run_slots(
        options_.threads, in_flight, [this](std::size_t slot) { return begin(items_[slot]); }, filters);
    if (images_) finish_network(*images_);
  }

  [[nodiscard]] bool stopped() const { return options_.stop != nullptr && options_.stop->load(); }

  /// Whether the run ended before all rows of the image had a result.
  static bool is_unfinished(const ImageResult& image) {
    return image.status == ImageStatus::kSkipped ||
           std::find(image.views.begin(), image.views.end(), ImageStatus::kSkipped) != image.views.end();
  }

  /// Whether a source must be read in order, because an archive has no random access.
  static bool is_serial(const ImageSource& source) { return source.member || !source.problem.empty(); }

  /// Filter 1: the next file, unless the run is over or interrupted.
  bool begin(PendingImage& item) {
    if (next_ == order_.size() || stopped()) return false;
    item.index = order_[next_++];
    item.result = extraction_.images[item.index];
    item.missing.clear();
    item.lower.clear();
    item.was_decoded = false;
    item.ran_network = false;
    const ImageSource& source = files_[item.index];
    if (is_serial(source) && !recall(source, item)) item.take(reader_.read(source, options_.stop));
    return !stopped();
  }

  /// Whether a member need not be read: the digests know it, and its rows are cached or can be computed from
  /// cached ones. (A file can still be read when a row proves missing. For a member that is too late, because
  /// the archive's reader has moved on.)
  bool recall(const ImageSource& source, PendingImage& item) const {
    if (options_.digests == nullptr || taps_failed_) return false;
    const std::optional<FileStamp> stamp = stamp_of(source);
    if (!stamp) return false;
    const std::optional<Sha256> content = options_.digests->find(*stamp, source.member);
    if (!content) return false;
    for (int view = 0; view <= options_.views; ++view) {
      const RowLookup found = writer_.look_up(view_key(*content, static_cast<std::uint64_t>(view)));
      if (!found.complete() && !found.from) return false;
    }
    item.result.content = content;
    return true;
  }

  /// Filter 3: finds the rows that the caches lack. Frees the bytes of images whose rows are cached or on
  /// their way already.
  void look_up(PendingImage& item) {
    if (!item.result.content) return;
    const Sha256& content = *item.result.content;
    const auto first = claimed_.find(content);
    const bool is_copy = first != claimed_.end() && first->second != item.index;
    if (is_copy) duplicates_.emplace_back(item.index, first->second);
    for (int view = 0; view <= options_.views; ++view) {
      ImageStatus& status = status_of(item.result, view);
      if (is_copy || !look_up_row(content, view, item)) {
        if (status == ImageStatus::kSkipped) status = is_copy ? ImageStatus::kCopy : ImageStatus::kCached;
      }
    }
    item.was_decoded = !item.missing.empty();
    if (!item.was_decoded) item.bytes = std::vector<std::byte>();
    if (item.was_decoded || !item.lower.empty()) claimed_.emplace(content, item.index);
  }

  /// @return whether the row is missing; if so, it is added to `item`
  bool look_up_row(const Sha256& content, int view, PendingImage& item) {
    const MissingRow row{view, view_key(content, static_cast<std::uint64_t>(view)), {}};
    const RowLookup found = writer_.look_up(row.key);
    if (found.complete()) return false;
    if (found.from && !taps_failed_) {
      item.lower.push_back({*found.from, {view, row.key, found.lacking}});
    } else {
      item.missing.push_back({view, row.key, found.lacking});
    }
    return true;
  }

  /// Filter 5: settles images that need no network, gathers the others, and runs the network when a batch is
  /// full.
  void feed(PendingImage& item) {
    if (stopped()) item.leave();
    ImageResult& result = extraction_.images[item.index] = std::move(item.result);
    if (item.was_decoded) ++extraction_.decoded;
    unsettled_[item.index] = item.missing.size() + item.lower.size();
    if (unsettled_[item.index] == 0) {
      count(result.status);
      report_progress();
      return;
    }
    for (const LowerRow& lower : item.lower)
      of_tap_[position_of(network_, lower.from)].push_back({item.index, lower.row});
    if (item.missing.empty()) return;
    if (!images_) images_.emplace(open(std::nullopt));
    const std::size_t row_size = item.pixels.size() / item.missing.size();
    for (std::size_t i = 0; i < item.missing.size() && !stopped(); ++i) {
      images_->batch->add(std::span(item.pixels).subspan(i * row_size, row_size));
      images_->gathered.push_back({item.index, item.missing[i]});
      if (!images_->batch->full()) continue;
      run_network(*images_);
      item.ran_network = true;
    }
  }

  Pass open(const std::optional<Tap>& from) {
    Pass pass{std::make_unique<FeatureBatch>(open_engine_(from)), {}, {}, {}};
    std::vector<Tap> taps;
    for (std::size_t cache = 0; cache < taps_.size(); ++cache) {
      if (from && !is_above(network_, taps_[cache], *from)) continue;
      pass.caches.push_back(cache);
      taps.push_back(taps_[cache]);
    }
    const Engine& engine = pass.batch->engine();
    if (!std::equal(taps.begin(), taps.end(), engine.taps().begin(), engine.taps().end()) ||
        engine.from() != from || engine.input_size() != options_.resize.size) {
      throw std::logic_error("extract: the engine's taps or input size are not those of the caches");
    }
    if (!extraction_.engine) extraction_.engine = engine.description();
    writer_.start(engine.description(), engine.input_size());
    return pass;
  }

  /// Sends the gathered rows through the network. Drops them if the run was interrupted: then no batch
  /// begins. While the network runs, the results of the last batch are rounded, encoded and collected.
  void run_network(Pass& pass) {
    if (!pass.running.empty()) pass.batch->wait();
    const std::vector<Waiting> done = std::exchange(pass.running, {});
    if (stopped()) {
      pass.gathered.clear();
    } else {
      pass.batch->start();
      pass.running = std::exchange(pass.gathered, {});
    }
    settle(pass, done);
  }

  /// Like run_network() for the last gathered rows; waits for their results.
  void finish_network(Pass& pass) {
    if (!pass.gathered.empty()) run_network(pass);
    if (pass.running.empty()) return;
    pass.batch->wait();
    settle(pass, std::exchange(pass.running, {}));
  }

  /// @param rows  of the batch that wait() returned last
  void settle(Pass& pass, std::span<const Waiting> rows) {
    FeatureBatch& batch = *pass.batch;
    const std::optional<Tap> from = batch.engine().from();
    for (std::size_t place = 0; place < rows.size(); ++place) {
      const auto& [index, row] = rows[place];
      ImageResult& result = extraction_.images[index];
      ImageStatus& status = status_of(result, row.view);
      if (const std::optional<std::string> reason = round_row(batch, place)) {
        status = ImageStatus::kRejected;
        reject(result, row.view, *reason);
      } else {
        status = ImageStatus::kExtracted;
        if (from) ++extraction_.from_taps[from->name];
        for (std::size_t tap_number = 0; tap_number < pass.caches.size(); ++tap_number) {
          const std::size_t cache = pass.caches[tap_number];
          if (row.lacking[cache]) writer_.append(cache, row.key, batch.activations(place, tap_number));
        }
      }
      if (--unsettled_[index] == 0) finish(result);
    }
    writer_.collect_due(Clock::now());
    report_progress();
  }

  /// Computes the rows that are cached at lower taps, when no other thread uses the caches. One engine is
  /// open at a time.
  void compute_from_taps() {
    const auto is_empty = [](const std::vector<Waiting>& rows) { return rows.empty(); };
    if (std::all_of(of_tap_.begin(), of_tap_.end(), is_empty)) return;
    images_.reset();
    for (std::size_t below = 0; below < of_tap_.size(); ++below) {
      const Tap& tap = network_.taps[below];
      const std::vector<Waiting> rows = std::move(of_tap_[below]);
      if (rows.empty() || stopped()) continue;
      std::vector<Sha256> keys;
      keys.reserve(rows.size());
      for (const Waiting& waiting : rows) keys.push_back(waiting.row.key);
      std::optional<Pass> pass;
      const auto take = [&](std::size_t position, std::span<const float> activations) {
        if (!pass) pass.emplace(open(tap));
        pass->batch->add(activations);
        pass->gathered.push_back(rows[position]);
        if (pass->batch->full()) {
          run_network(*pass);
          writer_.publish_due();
        }
        return !stopped();
      };
      for (const std::size_t lost : lower_.read(tap, keys, take)) lost_.push_back(rows[lost].index);
      if (pass) finish_network(*pass);
    }
  }

  /// Keeps only those files for reading whose rows at a lower tap are gone or damaged. The lower caches have
  /// warned about them. @return whether there are any
  bool keep_lost_files() {
    if (lost_.empty()) return false;
    std::sort(lost_.begin(), lost_.end());
    std::erase_if(
        order_, [this](std::size_t index) { return !std::binary_search(lost_.begin(), lost_.end(), index); });
    for (const std::size_t index : lost_) extraction_.images[index].content.reset();
    next_ = 0;
    taps_failed_ = true;
    return true;
  }

  /// Rounds a row to the storage of the caches. This is done once, here, for every engine. So a row is
  /// exactly the same whether it was cached before or not. @return why the row can't be stored
  std::optional<std::string> round_row(FeatureBatch& batch, std::size_t row) const {
    if (const std::optional<Tap> tap = batch.non_finite_tap(row)) {
      return fmt::format("the network overflows at {} ({})", to_string(*tap),
                         to_string(batch.engine().description().precision));
    }
    if (const std::optional<Tap> tap = batch.round(row, storage_))
      return fmt::format("an activation at {} is too large to be stored as float16", to_string(*tap));
    return std::nullopt;
  }

  static void reject(ImageResult& result, int view, const std::string& reason) {
    if (view == 0) {
      result.reason = reason;
    } else {
      result.note += fmt::format("{}view {}: {}", result.note.empty() ? "" : "; ", view, reason);
    }
  }

  /// Called when all rows of an image have left the network. If the image is rejected, its views are
  /// rejected, too.
  void finish(ImageResult& result) {
    if (result.status == ImageStatus::kRejected) {
      result.note.clear();
      std::fill(result.views.begin(), result.views.end(), ImageStatus::kRejected);
    }
    count(result.status);
  }

  /// A file whose bytes were on their way already gets the result of the first file with these bytes.
  void settle_duplicates() {
    for (const auto& [index, first] : duplicates_) {
      const ImageResult& original = extraction_.images[first];
      ImageResult& result = extraction_.images[index];
      for (int view = 0; view <= options_.views; ++view) {
        const ImageStatus fate =
            view == 0 ? original.status : original.views[static_cast<std::size_t>(view) - 1];
        status_of(result, view) = fate == ImageStatus::kExtracted ? ImageStatus::kCopy : fate;
      }
      result.reason = original.reason;
      result.note = original.note;
    }
  }

  void count(ImageStatus status) noexcept {
    if (status == ImageStatus::kSkipped) return;
    ++progress_.done;
    if (status == ImageStatus::kCached) ++progress_.cached;
    if (status == ImageStatus::kRejected) ++progress_.rejected;
  }

  void report_progress() const {
    if (options_.on_progress) options_.on_progress(progress_);
  }

  /// Counts again, because duplicates of rejected images are rejected by now.
  void report_final_progress() {
    progress_ = {.total = files_.size()};
    for (const ImageResult& image : extraction_.images) count(image.status);
    report_progress();
  }

  std::span<const ImageSource> files_;
  std::vector<std::size_t> order_;  // the order in which files are read
  const ExtractionOptions& options_;
  ImageReader own_reader_;
  ImageReader& reader_;  // of filter 1
  const OpenEngine& open_engine_;
  std::vector<Tap> taps_;
  const Network& network_;  // of all caches
  FeatureType storage_;     // of all caches
  LowerTaps lower_;
  CacheWriter writer_;
  Extraction extraction_;
  ExtractionProgress progress_;

  std::vector<PendingImage> items_;  // a ring; each item belongs to the filter that works on it
  std::size_t next_ = 0;             // filter 1
  std::mutex large_images_;          // filter 4: one at a time
  std::unordered_map<Sha256, std::size_t> claimed_;              // filter 3: first file with these bytes
  std::vector<std::pair<std::size_t, std::size_t>> duplicates_;  // filter 3: file, first file with its bytes
  std::optional<Pass> images_;                                   // filter 5
  std::vector<std::size_t> unsettled_;        // filter 5: rows of each file that are on their way
  std::vector<std::vector<Waiting>> of_tap_;  // filter 5: rows that are cached at each of the network's taps
  std::vector<std::size_t> lost_;             // files, after the pipeline has ended
  bool taps_failed_ = false;                  // between runs: all rows must come from images
};

}  // namespace

Extraction extract(std::span<const ImageSource> files, const ExtractionOptions& options,
                   const OpenEngine& open_engine, std::span<FeatureCache* const> caches) {
  return Extractor(files, options, open_engine, caches).run();
}

}  // namespace headstart
