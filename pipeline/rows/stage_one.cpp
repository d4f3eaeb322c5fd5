// pipeline/rows/stage_one.cpp
#include "pipeline/rows/stage_one.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pipeline/process/interrupt.hpp"
#include "pipeline/rows/divided_extraction.hpp"

namespace headstart {
namespace {

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

void check_resize(const ResizeOptions& resize) {
  if (resize.mode == ResizeMode::kShorterSide || resize.crop_share == 1.0) return;
  throw Error{Error::Kind::kUsage, "wrong usage",
              fmt::format("--crop-share with --resize {}", to_string(resize.mode)),
              "pass --resize shorter-side, or leave --crop-share out"};
}

/// The settings that decide the values of the rows.
ExtractorConfiguration extractor_configuration_of(const NetworkWeights& weights,
                                                  const StageOneOptions& options, EngineKind engine) {
  check_resize(options.images.resize);
  ExtractorConfiguration configuration;
  configuration.network = weights.network;
  configuration.weights_identity = weights.identity;
  configuration.preprocessing = weights.preprocessing;
  configuration.resize = options.images.resize;
  configuration.alpha = options.images.decode.alpha;
  configuration.ignore_exif = options.images.decode.ignore_exif;
  configuration.range = options.images.decode.range;
  configuration.precision = precision_of(engine);
  configuration.storage = options.storage;
  return configuration;
}

/// @throws Interrupted if `extraction` was
Extraction finished(Extraction extraction) {
  if (!extraction.interrupted) return extraction;
  const auto done =
      std::count_if(extraction.images.begin(), extraction.images.end(),
                    [](const ImageResult& image) { return image.status != ImageStatus::kSkipped; });
  throw Interrupted(
      fmt::format("interrupted: {} of {} images are done and cached; the same command goes on from there",
                  done, extraction.images.size()));
}

}  // namespace

StageOne::StageOne(NetworkWeights weights, std::vector<Tap> taps, const StageOneOptions& options,
                   const Session& session)
    : weights_(std::move(weights)),
      options_(options),
      session_(session),
      engine_kind_(options.engine == EngineKind::kAuto ? choose_engine() : options.engine),
      store_(extractor_configuration_of(weights_, options_, engine_kind_), std::move(taps), options_,
             session_.console),
      report_(session_.console) {}

void StageOne::expect_parts(std::size_t files) { report_.set_job(JobProgress{files, {}}); }

Extraction StageOne::run(std::vector<ImageSource> of_run, int views) {
  const std::vector<ImageSource>& files = runs_.emplace_back(Run{std::move(of_run), views}).files;
  if (session_.processes == nullptr) return finished(run_alone(files, views));
  ProcessGroup& processes = *session_.processes;
  const Extraction own = run_alone(share_of(files, processes), views);
  if (any_process(&processes, own.interrupted))
    throw Interrupted("interrupted: what was done is cached; the same command goes on from there");
  store_.open_again();  // shows the rows that the others have published
  Extraction all = finished(run_alone(files, views));
  add_computed(own, views, network(), processes, all);
  return all;
}

Extraction StageOne::run_alone(std::span<const ImageSource> files, int views) {
  const auto show = [this](const ExtractionProgress& progress) { report_.show(progress); };
  Extraction result =
      report_.has_job()
          ? run_part(files, views, show)
          : extract_files(files, views, show, [this](const std::optional<Tap>& from) { return open(from); });
  report_.end_run();
  const bool may_compact = result.engine && session_.leads() && !result.interrupted;
  store_.save_accelerators(may_compact ? FeatureStore::Compact::kWhereWorthwhile
                                       : FeatureStore::Compact::kNo);
  return result;
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
  extraction.digests = &store_.digests();
  extraction.reader = &reader_;
  extraction.stop = &interrupt_flag();
  extraction.on_progress = on_progress;
  extraction.lower = [this](const Tap& tap) { return store_.lower_cache(tap); };
  Extraction result = extract(files, extraction, opener, store_.caches());
  report_.note_narrow_ranges(result);
  return result;
}

std::unique_ptr<Engine> StageOne::open(const std::optional<Tap>& from) const {
  EngineOptions engine;
  engine.batch_size = options_.batch_size;
  engine.input_size = options_.images.resize.size;
  engine.from = from;
  engine.taps.assign(taps().begin(), taps().end());
  if (from) std::erase_if(engine.taps, [&](const Tap& tap) { return !is_above(network(), tap, *from); });
  engine.threads = session_.threads;
  auto opened = open_engine(weights_, engine_kind_, engine);
  const EngineDescription& description = opened->description();
  session_.console.note(fmt::format("engine: {} ({}: {}), batch {}, {} threads", description.name,
                                    description.version, description.implementation, opened->batch_size(),
                                    session_.threads));
  return opened;
}

SparseRows StageOne::features(std::span<const Sha256> keys) {
  return store_.read(keys, [this] { compute_again(); });
}

/// Runs in this process alone, because others may have lost nothing.
void StageOne::compute_again() {
  if (runs_.empty()) return;
  session_.console.note("rows of the cache were lost: they are computed again");
  const std::optional<JobProgress> job = report_.set_job(std::nullopt);  // the runs below are no part of it
  for (const Run& run : runs_) static_cast<void>(finished(run_alone(run.files, run.views)));
  report_.set_job(job);
}

}  // namespace headstart
