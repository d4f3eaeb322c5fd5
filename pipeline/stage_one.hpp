// pipeline/stage_one.hpp: stage one as the commands use it: files or a dataset in, cached feature rows out.
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

#include "data/image_reader.hpp"
#include "data/image_source.hpp"
#include "data/manifest.hpp"
#include "data/sha256.hpp"
#include "data/shard.hpp"
#include "data/split.hpp"
#include "features/cache.hpp"
#include "features/csr_rows.hpp"
#include "features/extractor.hpp"
#include "features/extractor_configuration.hpp"
#include "features/file_digests.hpp"
#include "features/lower_taps.hpp"
#include "features/weights.hpp"
#include "pipeline/session.hpp"
#include "pipeline/stage_one_options.hpp"

namespace headstart {

/// Everything that stays the same while images pass: weights, configuration, caches. One for each run of a
/// command.
class StageOne {
 public:
  /// @param weights  complete up to the deepest of `taps`
  StageOne(Vgg16Weights weights, std::vector<Tap> taps, const StageOneOptions& options,
           const Session& session);

  /// Makes sure that every usable file, and each of its first `views` views, has a row in every tap's cache.
  /// Processes that train together share the work out, file by file, and need one cache folder for that.
  /// Shows progress. Keeps `files`, for features(). @throws Interrupted once what was in flight is published
  [[nodiscard]] Extraction run(std::vector<ImageSource> files, int views = 0);
  /// The runs that follow are parts of one piece of work of `files` files: progress counts over all of them,
  /// until the caller ends it, and the engine stays open from one to the next.
  void expect_parts(std::size_t files) noexcept { parts_ = Parts{files, {}}; }
  /// Lets go of the files of all runs so far.
  void forget_files() noexcept { runs_.clear(); }

  /// The same for one of many parts of the work, by this process alone: the engine stays open from part to
  /// part, the caller shows progress, an interrupted part is a result as well, and save_accelerators() is
  /// left to the caller.
  [[nodiscard]] Extraction run_part(std::span<const ImageSource> files, int views,
                                    const std::function<void(const ExtractionProgress&)>& on_progress);

  /// Whether small segments are merged.
  enum class Compact { kNo, kWhereWorthwhile };
  /// Has the caches' indexes and CACHE/stat know what this process knows; merges segments first, where there
  /// are many small ones.
  void save_accelerators(Compact compact);

  /// The cached rows of `keys` at taps()[0], in order. Where a segment was damaged or removed since run(),
  /// its rows are computed again from the files that runs were given. Called from one thread at a time.
  /// @throws RowsLost if that does not bring them back: an image is gone, or another one by now
  [[nodiscard]] CsrRows features(std::span<const Sha256> keys);
  /// How large they are and where they lie.
  [[nodiscard]] FeatureCache::Layout layout(std::span<const Sha256> keys) const;

  /// Which of `files`, and of their views, would have to go through the network; reads and hashes them, runs
  /// nothing. Opens the caches of lower taps.
  struct Plan {
    std::size_t cached = 0;
    std::size_t to_extract = 0;
    std::size_t unreadable = 0;
    std::size_t views_cached = 0;
    std::size_t views_to_extract = 0;
    RowsOfTaps from_taps{};  ///< of those to extract, views included: how many from each cached tap
  };
  /// @param views  of each image, beside the image itself
  [[nodiscard]] Plan plan(std::span<const ImageSource> files, int views = 0);

  /// The network's, as given.
  [[nodiscard]] const Vgg16Weights& weights() const noexcept { return weights_; }
  /// What the rows depend on.
  [[nodiscard]] const ExtractorConfiguration& configuration() const noexcept { return configuration_; }
  /// What runs the network: never kAuto, but what that chose.
  [[nodiscard]] EngineKind engine() const noexcept { return engine_kind_; }
  /// The taps whose caches are filled, as given.
  [[nodiscard]] std::span<const Tap> taps() const noexcept { return taps_; }
  /// Of a row at taps()[0].
  [[nodiscard]] MapShape map_shape() const { return tap_shape(taps_.front(), configuration_.resize.size); }
  /// The root of the caches.
  [[nodiscard]] const std::filesystem::path& cache_folder() const noexcept { return cache_folder_; }
  /// How images are let in and resized.
  [[nodiscard]] const ImageOptions& images() const noexcept { return options_.images; }

 private:
  void open_caches();
  [[nodiscard]] std::unique_ptr<FeatureCache> open_cache(Tap tap) const;
  [[nodiscard]] std::vector<FeatureCache*> caches() const;
  /// The cache of a tap below, opened at the first call for it.
  [[nodiscard]] FeatureCache* lower_cache(Tap tap);
  [[nodiscard]] Extraction run_alone(std::span<const ImageSource> files, int views);
  [[nodiscard]] Extraction extract_files(std::span<const ImageSource> files, int views,
                                         const std::function<void(const ExtractionProgress&)>& on_progress,
                                         const OpenEngine& opener);
  /// Says once in a run that images come out nearly black.
  void note_narrow_ranges(const Extraction& extraction);
  [[nodiscard]] std::unique_ptr<Engine> open(std::optional<Tap> from) const;
  void restore_rows();

  struct Run {
    std::vector<ImageSource> files;
    int views;
  };

  Vgg16Weights weights_;
  std::vector<Tap> taps_;
  StageOneOptions options_;
  Session session_;
  EngineKind engine_kind_;
  ExtractorConfiguration configuration_;
  std::filesystem::path cache_folder_;
  std::vector<std::unique_ptr<FeatureCache>> caches_;
  std::map<Tap, std::unique_ptr<FeatureCache>> lower_caches_;  // those that a row was looked for in
  std::unique_ptr<FileDigests> digests_;
  std::map<std::optional<Tap>, std::unique_ptr<Engine>> engines_;  // of run_part(), by where they begin
  std::vector<Run> runs_;
  struct Parts {
    std::size_t files;
    ExtractionProgress before;  // of the parts that are done
  };
  std::optional<Parts> parts_;
  bool narrow_ranges_noted_ = false;
  ImageReader reader_;  // goes on in an archive from one call to the next
};

/// Where the samples' images lie.
[[nodiscard]] std::vector<ImageSource> sources_of(const Manifest& manifest);

/// What became of the views (data/view.hpp) of the images that have any.
struct ViewCounts {
  int of_each = 0;  ///< views of an image, beside the image itself
  std::size_t cached = 0;
  std::size_t extracted = 0;
  std::size_t rejected = 0;  ///< of images that are used: the network overflows on the view
};

/// Counts the views of the images that are not rejected.
[[nodiscard]] ViewCounts count_views(std::span<const ImageResult> images, int views);

/// A dataset after stage one.
struct ExtractedDataset {
  Manifest manifest;
  Extraction extraction;
  std::vector<std::optional<Sha256>> content;  ///< of each sample's file
  std::vector<std::size_t> used;               ///< rows of manifest.samples that have features, ascending
  std::vector<DuplicateSet> duplicates;
  std::size_t cached = 0;
  std::size_t extracted = 0;
  std::size_t rejected = 0;
  ViewCounts views;
};

/// "; 12 rows from the cached block4_pool", or nothing where all were computed from images.
[[nodiscard]] std::string describe(const RowsOfTaps& from_taps);

/// Shows how far an extraction is.
void show_progress(Console& console, const ExtractionProgress& progress);

/// Says why an image was rejected, or what is odd about one that is used. Only the first rejects are shown
/// without --verbose. @param rejected  how many were before; counted on
void report_image(const Sample& sample, const ImageResult& image, std::size_t& rejected, Console& console);
/// Says how many rejects were not shown. @param rejected  of all images
void report_rejects_left_out(std::size_t rejected, Console& console);

/// Says which images are there twice, which of these contradict each other, and which groups the splits part.
void report_duplicates(const ExtractedDataset& dataset, Console& console);

/// Holds rejects against --max-rejects. @param name  of the dataset @throws Error kData
void check_max_rejects(std::size_t rejected, std::size_t total, const ImageOptions& options,
                       const std::string& name);

/// Lists `dataset`, and says on the console how it was read. @throws Error as discover()
[[nodiscard]] Manifest find_images(const std::filesystem::path& dataset, int min_classes,
                                   const ImageOptions& options, Console& console);

/// Keeps `shard` of `manifest`, runs stage one over it, reports rejects and duplicates on the console, and
/// holds rejects against the limits. @throws Error kData where nothing is left of the whole, or more was
/// rejected than allowed; kUsage and kFailed as discover()
/// @param dataset  where find_images() found `manifest`
[[nodiscard]] ExtractedDataset extract_dataset(Manifest manifest, const std::filesystem::path& dataset,
                                               const StageOneOptions& options, const Session& session,
                                               StageOne& stage_one, int views = 0, const Shard& shard = {});
/// find_images(), and then the above.
[[nodiscard]] ExtractedDataset extract_dataset(const std::filesystem::path& dataset, int min_classes,
                                               const StageOneOptions& options, const Session& session,
                                               StageOne& stage_one, int views = 0, const Shard& shard = {});

/// For --dry-run: how many images each class has.
[[nodiscard]] std::string class_table(const Manifest& manifest);

/// For --dry-run: prints what discover() finds in `dataset`, in that shard of it, and how much of it the
/// cache holds; runs no network.
void print_plan(const std::filesystem::path& dataset, int min_classes, const Session& session,
                StageOne& stage_one, int views = 0, const Shard& shard = {});

/// The line that says what stage one did: "393 images in 25.1 s (15.7 images/s): ...; 786 views: ...".
[[nodiscard]] std::string describe(const ExtractedDataset& dataset);

}  // namespace headstart
