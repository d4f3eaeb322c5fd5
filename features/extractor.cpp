// features/extractor.cpp: the pipeline of extractor.hpp as six filters over a ring of items.
//   begin (serial) -> read + hash (parallel) -> look up (serial) -> decode + resize (parallel) ->
//   network (serial) -> publish (serial)
// Serial filters run in the order of the files, so the first of several files with the same bytes is always
// the one that is decoded, and rows reach the network in order. A decoded image lives within its filter only,
// a preprocessed row in its item until the network has taken it.
// The network's OpenMP threads and these workers share the cores. libgomp's default waiting is left as it is:
// 393 images took 25.1 s of processor time with it, 25.0 with OMP_WAIT_POLICY=passive, 23.9 with active.
#include "features/extractor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <new>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <variant>

#include "data/file_bytes.hpp"
#include "features/cache_writer.hpp"
#include "features/feature_batch.hpp"
#include "features/slot_pipeline.hpp"

namespace headstart {
namespace {

using Clock = std::chrono::steady_clock;

/// One file on its way.
struct Item {
  std::size_t index = 0;
  ImageResult result;
  std::vector<std::byte> bytes;  ///< of the file, until it is decoded
  CacheSet lacking;              ///< the caches that want a row of it
  std::vector<float> row;        ///< preprocessed
  bool has_row = false;          ///< the network has to see `row`
  bool ran_network = false;      ///< this item filled a batch: segments may be due

  /// Settles the item without a row.
  void reject(std::string reason) {
    bytes = {};
    result.status = ImageStatus::kRejected;
    result.reason = std::move(reason);
  }
};

/// A row that waits in the batch for the network.
struct Waiting {
  std::size_t index = 0;
  Sha256 key;
  CacheSet lacking;
};

/// How many preprocessed rows may wait while the network is busy: enough to fill its next batch, within 64
/// MiB. (The batch size isn't known when the pipeline starts, as the engine opens at the first miss.)
std::size_t rows_ahead(int input_size) {
  const auto size = static_cast<std::size_t>(input_size);
  return std::clamp((std::size_t{64} << 20U) / (size * size * 3 * sizeof(float)), std::size_t{1},
                    std::size_t{64});
}

class Extractor {
 public:
  Extractor(std::span<const std::filesystem::path> files, const ExtractionOptions& options,
            const OpenEngine& open_engine, std::span<FeatureCache* const> caches)
      : files_(files), options_(options), open_engine_(open_engine), taps_(taps_of(caches)), writer_(caches) {
    extraction_.images.resize(files.size());
    progress_.total = files.size();
  }

  Extraction run() {
    const Clock::time_point start = Clock::now();
    try {
      run_pipeline();
      if (batch_ && !batch_->empty()) run_network();
    } catch (...) {
      writer_.publish_all();
      throw;
    }
    writer_.publish_all();
    settle_duplicates();
    report_final_progress();
    extraction_.interrupted = next_ < files_.size();
    extraction_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return std::move(extraction_);
  }

 private:
  static std::vector<Tap> taps_of(std::span<FeatureCache* const> caches) {
    std::vector<Tap> taps;
    for (const FeatureCache* cache : caches) taps.push_back(cache->tap());
    if (taps.empty() || taps.size() > kAllTaps.size())
      throw std::logic_error("extract: needs one cache for each tap");
    return taps;
  }

  void run_pipeline() {
    const std::size_t in_flight = 2 * slot_threads(options_.threads) + rows_ahead(options_.resize.size);
    items_.resize(in_flight);
    using enum SlotFilter::Order;
    const std::array filters{
        SlotFilter{kParallel, [this](std::size_t slot) { read(items_[slot]); }},
        SlotFilter{kSerial, [this](std::size_t slot) { look_up(items_[slot]); }},
        SlotFilter{kParallel, [this](std::size_t slot) { decode(items_[slot]); }},
        SlotFilter{kSerial, [this](std::size_t slot) { feed(items_[slot]); }},
        SlotFilter{kSerial,
                   [this](std::size_t slot) {
                     if (items_[slot].ran_network) writer_.publish_due();
                   }},
    };
    run_slots(
        options_.threads, in_flight, [this](std::size_t slot) { return begin(items_[slot]); }, filters);
  }

  /// Filter 1: the next file, unless the run is over or interrupted.
  bool begin(Item& item) {
    if (next_ == files_.size() || (options_.stop != nullptr && options_.stop->load())) return false;
    item.index = next_++;
    item.result = {};
    item.has_row = false;
    item.ran_network = false;
    return true;
  }

  /// Filter 2: the file's bytes and their hash.
  void read(Item& item) const {
    auto read = read_file(files_[item.index], kMaxImageFileBytes);
    if (const auto* reject = std::get_if<Reject>(&read)) return item.reject(reject->reason);
    item.bytes = std::get<std::vector<std::byte>>(std::move(read));
    item.result.content = sha256(item.bytes);
  }

  /// Filter 3: drops the bytes of what is cached, or on its way already.
  void look_up(Item& item) {
    if (!item.result.content) return;
    const Sha256& key = *item.result.content;
    if (const auto first = claimed_.find(key); first != claimed_.end()) {
      duplicates_.emplace_back(item.index, first->second);
    } else if (item.lacking = writer_.lacking(key); item.lacking.any()) {
      claimed_.emplace(key, item.index);
      return;
    }
    item.result.status = ImageStatus::kCached;
    item.bytes = {};
  }

  /// Filter 4: file bytes to a preprocessed row.
  void decode(Item& item) const {
    if (item.bytes.empty()) return;
    try {
      auto decoded = decode_image(item.bytes, options_.decode);
      item.bytes = {};
      if (const auto* reject = std::get_if<Reject>(&decoded)) return item.reject(reject->reason);
      auto& image = std::get<DecodedImage>(decoded);
      const auto size = static_cast<std::size_t>(options_.resize.size);
      item.row.resize(size * size * 3);
      resize(image.image, options_.resize, item.row);
      preprocess(options_.preprocessing, item.row);
      item.result.note = std::move(image.note);
      item.has_row = true;
    } catch (const std::bad_alloc&) {
      item.reject("too large to decode in the memory there is");
    }
  }

  /// Filter 5: settles what needs no network, gathers the rest, runs the network when a batch is full.
  void feed(Item& item) {
    ImageResult& result = extraction_.images[item.index] = std::move(item.result);
    if (!item.has_row) {
      count(result.status);
      report_progress();
      return;
    }
    if (!batch_) open();
    batch_->add(item.row);
    waiting_.push_back({item.index, *result.content, item.lacking});
    item.ran_network = batch_->full();
    if (item.ran_network) run_network();
  }

  void open() {
    batch_.emplace(open_engine_());
    const Engine& engine = batch_->engine();
    if (!std::equal(taps_.begin(), taps_.end(), engine.taps().begin(), engine.taps().end()) ||
        engine.input_size() != options_.resize.size) {
      throw std::logic_error("extract: the engine's taps or input size are not those of the caches");
    }
    extraction_.engine = engine.description();
    writer_.start(engine.description(), engine.input_size());
  }

  void run_network() {
    batch_->run();
    for (std::size_t row = 0; row < waiting_.size(); ++row) {
      const Waiting& image = waiting_[row];
      ImageResult& result = extraction_.images[image.index];
      if (const std::optional<Tap> tap = batch_->non_finite_tap(row)) {
        result.status = ImageStatus::kRejected;
        result.reason = fmt::format("the network overflows at {} ({})", to_string(*tap),
                                    to_string(batch_->engine().description().precision));
        result.note.clear();
      } else {
        result.status = ImageStatus::kExtracted;
        for (std::size_t cache = 0; cache < taps_.size(); ++cache) {
          if (image.lacking[cache]) writer_.append(cache, image.key, batch_->activations(row, cache));
        }
      }
      count(result.status);
    }
    waiting_.clear();
    batch_->clear();
    writer_.collect_due(Clock::now());
    report_progress();
  }

  /// A file whose bytes were on their way already shares the fate of the first one that has them.
  void settle_duplicates() {
    for (const auto& [index, first] : duplicates_) {
      const ImageResult& original = extraction_.images[first];
      ImageResult& result = extraction_.images[index];
      if (original.status == ImageStatus::kRejected) result.status = ImageStatus::kRejected;
      result.reason = original.reason;
      result.note = original.note;
    }
  }

  void count(ImageStatus status) noexcept {
    ++progress_.done;
    if (status == ImageStatus::kCached) ++progress_.cached;
    if (status == ImageStatus::kRejected) ++progress_.rejected;
  }

  void report_progress() const {
    if (options_.on_progress) options_.on_progress(progress_);
  }

  /// Counts again, now that duplicates of rejected images are rejected too.
  void report_final_progress() {
    progress_ = {.total = files_.size()};
    for (const ImageResult& image : extraction_.images) {
      if (image.status != ImageStatus::kSkipped) count(image.status);
    }
    report_progress();
  }

  std::span<const std::filesystem::path> files_;
  const ExtractionOptions& options_;
  const OpenEngine& open_engine_;
  std::vector<Tap> taps_;
  CacheWriter writer_;
  Extraction extraction_;
  ExtractionProgress progress_;

  std::vector<Item> items_;                          // a ring; each belongs to the filter that has it
  std::size_t next_ = 0;                             // filter 1
  std::unordered_map<Sha256, std::size_t> claimed_;  // filter 3: first file with these bytes
  std::vector<std::pair<std::size_t, std::size_t>> duplicates_;  // filter 3: file, first file with its bytes
  std::optional<FeatureBatch> batch_;                            // filter 5
  std::vector<Waiting> waiting_;                                 // filter 5: one for each row of the batch
};

}  // namespace

Extraction extract(std::span<const std::filesystem::path> files, const ExtractionOptions& options,
                   const OpenEngine& open_engine, std::span<FeatureCache* const> caches) {
  return Extractor(files, options, open_engine, caches).run();
}

}  // namespace headstart
