// pipeline/rows/stage_one.hpp: stage one for the commands: files or a dataset in, cached rows out.
#pragma once

#include <cstdint>
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
#include "data/dataset/manifest.hpp"
#include "data/dataset/shard.hpp"
#include "data/dataset/split.hpp"
#include "data/sha256.hpp"
#include "features/cache/cache.hpp"
#include "features/cache/csr_rows.hpp"
#include "features/cache/extractor_configuration.hpp"
#include "features/cache/file_digests.hpp"
#include "features/extraction/extractor.hpp"
#include "features/extraction/lower_taps.hpp"
#include "features/network/weights.hpp"
#include "pipeline/options/stage_one_options.hpp"
#include "pipeline/process/session.hpp"

namespace headstart {

/// The parts that stay the same for all images: weights, configuration, caches. Each run of a command has
/// one.
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
  void expect_parts(std::size_t files) noexcept { parts_ = Parts{files, {}}; }
  /// Forgets the files of all runs so far.
  void forget_files() noexcept { runs_.clear(); }

  /// As run(), for one of many parts of a job, by this process alone. The engine stays open from part to
  /// part. The caller shows progress and calls save_accelerators(). An interrupted part returns its result
  /// instead of throwing.
  [[nodiscard]] Extraction run_part(std::span<const ImageSource> files, int views,
                                    const std::function<void(const ExtractionProgress&)>& on_progress);

  /// Whether small segments are merged.
  enum class Compact { kNo, kWhereWorthwhile };
  /// Saves the caches' indexes and CACHE/stat if they changed. If there are many small segments, merges them
  /// first.
  void save_accelerators(Compact compact);

  /// The cached rows of `keys` at taps()[0], in order. If a segment was damaged or removed since run(), its
  /// rows are computed again from the files of the runs. Called from one thread at a time.
  /// @throws RowsLost if that does not restore the rows: an image no longer exists or has changed
  [[nodiscard]] CsrRows features(std::span<const Sha256> keys);
  /// The sizes of the rows, and where they are stored.
  [[nodiscard]] FeatureCache::Layout layout(std::span<const Sha256> keys) const;

  /// Counts which of `files` and their views would have to go through the network. Reads and hashes the
  /// files, and runs nothing. Opens the caches of lower taps (nearer to the input).
  struct Plan {
    std::size_t cached = 0;
    std::size_t to_extract = 0;
    std::size_t unreadable = 0;
    std::size_t views_cached = 0;
    std::size_t views_to_extract = 0;
    RowsOfTaps from_taps;  ///< of the rows to extract, views included: how many from each cached tap
  };
  /// @param views  of each image, besides the image itself
  [[nodiscard]] Plan plan(std::span<const ImageSource> files, int views = 0);

  /// The network that runs.
  [[nodiscard]] const Network& network() const noexcept { return weights_.network; }
  /// The network's, as given.
  [[nodiscard]] const NetworkWeights& weights() const noexcept { return weights_; }
  /// The settings that decide the values of the rows.
  [[nodiscard]] const ExtractorConfiguration& configuration() const noexcept { return configuration_; }
  /// The engine that runs the network: never kAuto, but the engine that kAuto chose.
  [[nodiscard]] EngineKind engine() const noexcept { return engine_kind_; }
  /// The taps whose caches are filled, as given.
  [[nodiscard]] std::span<const Tap> taps() const noexcept { return taps_; }
  /// The shape of a row at taps()[0].
  [[nodiscard]] MapShape map_shape() const {
    return tap_shape(network(), taps_.front(), configuration_.resize.size);
  }
  /// The folder of all caches.
  [[nodiscard]] const std::filesystem::path& cache_folder() const noexcept { return cache_folder_; }
  /// Which images are accepted, and how they are resized.
  [[nodiscard]] const ImageOptions& images() const noexcept { return options_.images; }

 private:
  void open_caches();
  [[nodiscard]] std::unique_ptr<FeatureCache> open_cache(const Tap& tap) const;
  [[nodiscard]] std::vector<FeatureCache*> caches() const;
  /// The cache of a lower tap (nearer to the input), opened at the first call.
  [[nodiscard]] FeatureCache* lower_cache(const Tap& tap);
  [[nodiscard]] Extraction run_alone(std::span<const ImageSource> files, int views);
  [[nodiscard]] Extraction extract_files(std::span<const ImageSource> files, int views,
                                         const std::function<void(const ExtractionProgress&)>& on_progress,
                                         const OpenEngine& opener);
  /// Prints once in a run that images come out nearly black.
  void note_narrow_ranges(const Extraction& extraction);
  [[nodiscard]] std::unique_ptr<Engine> open(const std::optional<Tap>& from) const;
  void restore_rows();

  struct Run {
    std::vector<ImageSource> files;
    int views;
  };

  NetworkWeights weights_;
  std::vector<Tap> taps_;
  StageOneOptions options_;
  Session session_;
  EngineKind engine_kind_;
  ExtractorConfiguration configuration_;
  std::filesystem::path cache_folder_;
  std::vector<std::unique_ptr<FeatureCache>> caches_;
  std::map<std::string, std::unique_ptr<FeatureCache>>
      lower_caches_;  // by tap; those that were searched for a row
  std::unique_ptr<FileDigests> digests_;
  // Of run_part(), by the tap at which they begin; "": the image.
  std::map<std::string, std::unique_ptr<Engine>> engines_;
  std::vector<Run> runs_;
  struct Parts {
    std::size_t files;
    ExtractionProgress before;  // of the parts that are done
  };
  std::optional<Parts> parts_;
  bool narrow_ranges_noted_ = false;
  ImageReader reader_;  // continues in an archive from one call to the next
};

/// The places of the samples' images.
[[nodiscard]] std::vector<ImageSource> sources_of(const Manifest& manifest);

/// The results of the views (data/image/view.hpp) of images.
struct ViewCounts {
  int of_each = 0;  ///< views of each image, besides the image itself
  std::size_t cached = 0;
  std::size_t extracted = 0;
  std::size_t rejected = 0;  ///< of used images: the network overflows on the view
};

/// Counts the views of the images that are not rejected.
[[nodiscard]] ViewCounts count_views(std::span<const ImageResult> images, int views);

/// A dataset after stage one.
struct ExtractedDataset {
  Manifest manifest;
  Extraction extraction;
  std::vector<std::optional<Sha256>> content;  ///< of each sample's file
  std::vector<std::size_t> used;  ///< positions in manifest.samples that have features, ascending
  std::vector<DuplicateSet> duplicates;
  std::size_t cached = 0;
  std::size_t extracted = 0;
  std::size_t rejected = 0;
  ViewCounts views;
};

/// "; 12 rows from the cached block4_pool"; empty if all rows were computed from images.
[[nodiscard]] std::string describe(const RowsOfTaps& from_taps);

/// Shows the progress of an extraction.
void show_progress(Console& console, const ExtractionProgress& progress);

/// Prints why an image was rejected, or a warning about an image that is used. Without --verbose only the
/// first rejects are shown.
/// @param rejected  the number of rejects before this image; increased for a reject
void report_image(const Sample& sample, const ImageResult& image, std::size_t& rejected, Console& console);
/// Prints how many rejects were not shown. @param rejected  of all images
void report_rejects_left_out(std::size_t rejected, Console& console);

/// Prints which images exist twice, which of these have different labels, and which groups are divided
/// between splits.
void report_duplicates(const ExtractedDataset& dataset, Console& console);

/// Checks the number of rejects against --max-rejects. @param name  of the dataset @throws Error kData
void check_max_rejects(std::size_t rejected, std::size_t total, const ImageOptions& options,
                       const std::string& name);

/// Lists `dataset`, and prints on the console how it was read. @throws Error as discover()
[[nodiscard]] Manifest find_images(const std::filesystem::path& dataset, int min_classes,
                                   const ImageOptions& options, Console& console);

/// Keeps `shard` of `manifest` and runs stage one over it. Reports rejects and duplicates on the console, and
/// checks the number of rejects against the limits.
/// @param dataset  the path in which find_images() found `manifest`
/// @throws Error kData if no image of the whole dataset is left, or if more were rejected than allowed;
/// kUsage and kFailed as discover()
[[nodiscard]] ExtractedDataset extract_dataset(Manifest manifest, const std::filesystem::path& dataset,
                                               const StageOneOptions& options, const Session& session,
                                               StageOne& stage_one, int views = 0, const Shard& shard = {});
/// Calls find_images(), then the function above.
[[nodiscard]] ExtractedDataset extract_dataset(const std::filesystem::path& dataset, int min_classes,
                                               const StageOneOptions& options, const Session& session,
                                               StageOne& stage_one, int views = 0, const Shard& shard = {});

/// For --dry-run: the number of images in each class.
[[nodiscard]] std::string class_table(const Manifest& manifest);

/// For --dry-run: prints what discover() finds in this shard of `dataset`, and how much of it the cache
/// holds. Runs no network.
void print_plan(const std::filesystem::path& dataset, int min_classes, const Session& session,
                StageOne& stage_one, int views = 0, const Shard& shard = {});

/// A line about stage one's work: "393 images in 25.1 s (15.7 images/s): ...; 786 views: ...".
[[nodiscard]] std::string describe(const ExtractedDataset& dataset);

}  // namespace headstart
