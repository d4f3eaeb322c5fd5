// pipeline/rows/stage_one_report.hpp: what a person sees of stage one: progress, rejects, duplicates, counts.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "data/dataset/manifest.hpp"
#include "features/extraction/extractor.hpp"
#include "pipeline/process/console.hpp"
#include "pipeline/rows/extracted_dataset.hpp"

namespace headstart {

/// A job of several runs whose progress counts over all of them.
struct JobProgress {
  std::size_t files = 0;        ///< of the whole job
  ExtractionProgress before{};  ///< of the runs that are done
};

/// Shows one run of stage one after another.
class StageOneReport {
 public:
  /// @param console  must outlive this
  explicit StageOneReport(Console& console) : console_(console) {}

  /// Says which job the following runs are part of. Without a job each run is shown by itself.
  /// @return the job before
  std::optional<JobProgress> set_job(std::optional<JobProgress> job);
  /// Whether runs are part of a job.
  [[nodiscard]] bool has_job() const noexcept { return job_.has_value(); }

  /// Shows the progress of the present run.
  void show(const ExtractionProgress& progress);
  /// Ends the present run. The progress of a job ends when its caller ends it.
  void end_run();
  /// Says, once, that images come out nearly black.
  void note_narrow_ranges(const Extraction& extraction);

 private:
  Console& console_;
  std::optional<JobProgress> job_;
  ExtractionProgress shown_;
  bool narrow_ranges_noted_ = false;
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

/// For --dry-run: the number of images in each class.
[[nodiscard]] std::string class_table(const Manifest& manifest);

/// "0 from the cache, 389 computed, 4 copies of these, 0 rejected".
[[nodiscard]] std::string describe(const ResultCounts& counts);

/// A line about stage one's work: "393 images in 25.1 s (15.7 images/s): ...; 786 views: ...".
[[nodiscard]] std::string describe(const ExtractedDataset& dataset);

}  // namespace headstart
