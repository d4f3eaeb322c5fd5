// pipeline/rows/stage_one.hpp: stage one for the commands: files in, cached rows out. It runs the network
// over what a FeatureStore lacks, and tells a StageOneReport.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/archive/image_reader.hpp"
#include "data/archive/image_source.hpp"
#include "data/sha256.hpp"
#include "features/cache/extractor_configuration.hpp"
#include "features/extraction/extractor.hpp"
#include "features/network/weights.hpp"
#include "memory/sparse_rows.hpp"
#include "pipeline/options/stage_one_options.hpp"
#include "pipeline/process/session.hpp"
#include "pipeline/rows/feature_store.hpp"
#include "pipeline/rows/stage_one_report.hpp"

namespace headstart {

/// The network, and what is the same for all images: weights, configuration, caches. Each run of a command
/// has one.
class StageOne {
 public:
  /// @param weights  complete up to the highest of `taps` (nearest to the output)
  StageOne(NetworkWeights weights, std::vector<Tap> taps, const StageOneOptions& options,
           const Session& session);

  /// Makes sure that every usable file, and each of its first `views` views, has a row in every tap's cache.
  /// Processes that train together share the work out, file by file; for this they need one common cache
  /// folder. Shows progress. Keeps `files` for features().
  /// @throws Interrupted once the work in progress is published
  [[nodiscard]] Extraction run(std::vector<ImageSource> files, int views = 0);
  /// Says that the following runs are parts of one job with `files` files in all. Progress then counts over
  /// all parts, until the caller ends it. The engine stays open from one part to the next.
  void expect_parts(std::size_t files);
  /// Forgets the files of all runs so far.
  void forget_files() noexcept { runs_.clear(); }

  /// As run(), for one of many parts of a job, by this process alone. The engine stays open from part to
  /// part. The caller shows progress and calls the store's save_accelerators(). An interrupted part returns
  /// its result instead of throwing.
  [[nodiscard]] Extraction run_part(std::span<const ImageSource> files, int views,
                                    const std::function<void(const ExtractionProgress&)>& on_progress);

  /// The cached rows of `keys` at taps()[0], in order. If a segment was damaged or removed since run(), its
  /// rows are computed again from the files of the runs. Called from one thread at a time.
  /// @throws RowsLost if that does not restore the rows: an image no longer exists or has changed
  [[nodiscard]] SparseRows features(std::span<const Sha256> keys);

  /// The caches.
  [[nodiscard]] FeatureStore& store() noexcept { return store_; }

  /// The network that runs.
  [[nodiscard]] const Network& network() const noexcept { return weights_.network; }
  /// The network's, as given.
  [[nodiscard]] const NetworkWeights& weights() const noexcept { return weights_; }
  /// The settings that decide the values of the rows.
  [[nodiscard]] const ExtractorConfiguration& configuration() const noexcept {
    return store_.configuration();
  }
  /// The engine that runs the network: never kAuto, but the engine that kAuto chose.
  [[nodiscard]] EngineKind engine() const noexcept { return engine_kind_; }
  /// The taps whose caches are filled, as given.
  [[nodiscard]] std::span<const Tap> taps() const noexcept { return store_.taps(); }
  /// The shape of a row at taps()[0].
  [[nodiscard]] MapShape map_shape() const {
    return tap_shape(network(), taps().front(), configuration().resize.size);
  }
  /// The folder of all caches.
  [[nodiscard]] const std::filesystem::path& cache_folder() const noexcept { return store_.folder(); }
  /// As given.
  [[nodiscard]] const StageOneOptions& options() const noexcept { return options_; }
  /// Which images are accepted, and how they are resized.
  [[nodiscard]] const ImageOptions& images() const noexcept { return options_.images; }

 private:
  /// By this process. An interrupted run returns its result.
  [[nodiscard]] Extraction run_alone(std::span<const ImageSource> files, int views);
  [[nodiscard]] Extraction extract_files(std::span<const ImageSource> files, int views,
                                         const std::function<void(const ExtractionProgress&)>& on_progress,
                                         const OpenEngine& opener);
  [[nodiscard]] std::unique_ptr<Engine> open(const std::optional<Tap>& from) const;
  void compute_again();

  struct Run {
    std::vector<ImageSource> files;
    int views;
  };

  NetworkWeights weights_;
  StageOneOptions options_;
  Session session_;
  EngineKind engine_kind_;
  FeatureStore store_;
  StageOneReport report_;
  // Of run_part(), by the tap at which they begin; "": the image.
  std::map<std::string, std::unique_ptr<Engine>> engines_;
  std::vector<Run> runs_;
  ImageReader reader_;  // continues in an archive from one call to the next
};

}  // namespace headstart
