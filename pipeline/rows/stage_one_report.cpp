// pipeline/rows/stage_one_report.cpp
#include "pipeline/rows/stage_one_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "pipeline/process/text_table.hpp"

namespace headstart {
namespace {

constexpr std::size_t kRejectsShown = 10;

}  // namespace

std::optional<JobProgress> StageOneReport::set_job(std::optional<JobProgress> job) {
  shown_ = job ? job->before : ExtractionProgress{};
  return std::exchange(job_, job);
}

void StageOneReport::show(const ExtractionProgress& progress) {
  shown_ = progress;
  if (job_) {
    shown_.total = job_->files;
    shown_.done += job_->before.done;
    shown_.cached += job_->before.cached;
    shown_.rejected += job_->before.rejected;
  }
  show_progress(console_, shown_);
}

void StageOneReport::end_run() {
  if (job_)
    job_->before = shown_;
  else
    console_.progress_done();
}

void StageOneReport::note_narrow_ranges(const Extraction& extraction) {
  const auto narrow = std::count_if(extraction.images.begin(), extraction.images.end(),
                                    [](const ImageResult& image) { return image.note == kNarrowRangeNote; });
  if (narrow == 0 || narrow_ranges_noted_) return;
  narrow_ranges_noted_ = true;
  console_.note(
      fmt::format("{} images of more than 8 bits use less than a quarter of their range, so that they are "
                  "nearly black here (--verbose names them): --range LOW:HIGH maps what they use, such as "
                  "--range 0:4095 or --range 1%:99%",
                  narrow));
}

void show_progress(Console& console, const ExtractionProgress& progress) {
  std::string extra;
  if (progress.cached > 0) extra = fmt::format("{} from the cache", progress.cached);
  if (progress.rejected > 0)
    extra += fmt::format("{}{} rejected", extra.empty() ? "" : ", ", progress.rejected);
  console.progress("features", progress.done, progress.total, "images", extra);
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

std::string describe(const RowsOfTaps& from_taps) {
  std::string text;
  for (const auto& [tap, rows] : from_taps) text += fmt::format("; {} rows from the cached {}", rows, tap);
  return text;
}

std::string describe(const ResultCounts& counts) {
  const std::string copies =
      counts.copies > 0 ? fmt::format(", {} copies of these", counts.copies) : std::string();
  return fmt::format("{} from the cache, {} computed{}, {} rejected", counts.cached, counts.extracted, copies,
                     counts.rejected);
}

std::string describe(const ExtractedDataset& dataset) {
  const std::size_t total = dataset.manifest.samples.size();
  const double seconds = dataset.extraction.seconds;
  // Reading from the cache is so quick that a rate has no meaning.
  const bool computed = dataset.images.extracted > 0;
  const std::string rate =
      computed ? fmt::format(" ({:.1f} images/s)", static_cast<double>(total) / seconds) : std::string();
  std::string line = fmt::format("{} images in {:.{}f} s{}: {}", total, seconds, computed ? 1 : 3, rate,
                                 describe(dataset.images));
  if (const ViewCounts& views = dataset.views; views.of_each > 0)
    line += fmt::format("; {} views of each: {}", views.of_each, describe(views.counts));
  return line + describe(dataset.extraction.from_taps);
}

}  // namespace headstart
