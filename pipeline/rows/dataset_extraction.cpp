// pipeline/rows/dataset_extraction.cpp
#include "pipeline/rows/dataset_extraction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "data/dataset/class_names.hpp"
#include "data/dataset/discovery.hpp"
#include "data/error.hpp"
#include "pipeline/process/console.hpp"
#include "pipeline/rows/extraction_trial.hpp"
#include "pipeline/rows/stage_one_report.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

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
  if (options.on_error == OnError::kFail && dataset.images.rejected > 0) {
    const auto first =
        std::find_if(dataset.extraction.images.begin(), dataset.extraction.images.end(),
                     [](const ImageResult& image) { return image.status == ImageStatus::kRejected; });
    const auto row = static_cast<std::size_t>(first - dataset.extraction.images.begin());
    throw Error{Error::Kind::kData, "an image was rejected",
                fmt::format("{}: {}", printable(dataset.manifest.samples[row].path), first->reason),
                "remove it, or pass --on-error skip"};
  }
  check_max_rejects(dataset.images.rejected, total, options, name);
  if (dataset.used.empty() && shard.is_whole()) {
    throw Error{Error::Kind::kData, "no usable image", fmt::format("{}: all {} were rejected", name, total),
                "look at the reasons above"};
  }
}

/// A line on what the rows that have to be computed from images cost; empty if they are few.
std::string cost_of(const ExtractionPlan& plan, std::span<const ImageSource> sources, int views,
                    const StageOne& stage_one, const Session& session) {
  constexpr std::size_t kFewRows = 100;  // done before their cost could be told
  std::size_t rows = plan.to_extract + plan.views_to_extract;
  for (const auto& [tap, of_tap] : plan.from_taps) rows -= of_tap;
  if (rows < kFewRows) return "";
  const std::optional<ExtractionSpeed> speed = try_extraction(stage_one, sources, views, session);
  if (!speed) return "";
  return fmt::format("extraction: {} rows in about {} ({:.1f} rows/s, tried on {} images), {} of memory\n",
                     rows, format_duration(static_cast<double>(rows) / speed->rows_per_second),
                     speed->rows_per_second, speed->images,
                     format_bytes(static_cast<std::uint64_t>(speed->bytes)));
}

}  // namespace

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
    result.images.add(image.status);
    if (has_row(image.status)) result.used.push_back(i);
  }
  result.duplicates = find_duplicates(result.manifest, result.content);
  report_rejects(result, session.console);
  report_duplicates(result, session.console);
  check_reject_limits(result, options.images, printable(dataset.string()), shard);
  return result;
}

Manifest print_plan(const fs::path& dataset, int min_classes, const Session& session, StageOne& stage_one,
                    int views, const Shard& shard) {
  Manifest manifest = find_images(dataset, min_classes, stage_one.images(), session.console);
  keep_shard(manifest, shard);
  const std::vector<ImageSource> sources = sources_of(manifest);
  const ExtractionPlan plan = stage_one.store().plan(sources, views);
  std::string of_views;
  if (views > 0) {
    of_views = fmt::format("{} views of each: {} in the cache, {} not\n", views, plan.views_cached,
                           plan.views_to_extract);
  }
  std::string of_taps;
  for (const auto& [tap, rows] : plan.from_taps)
    of_taps += fmt::format("{} rows are computed from the cached {}, not from images\n", rows, tap);
  fmt::print("{}\n{} images: {} in the cache, {} to compute, {} unreadable\n{}{}{}cache: {}\n",
             class_table(manifest), manifest.samples.size(), plan.cached, plan.to_extract, plan.unreadable,
             of_views, of_taps, cost_of(plan, sources, views, stage_one, session),
             (stage_one.cache_folder() / stage_one.configuration().fingerprint()).string());
  return manifest;
}

}  // namespace headstart
