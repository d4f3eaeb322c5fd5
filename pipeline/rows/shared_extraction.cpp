// pipeline/rows/shared_extraction.cpp
#include "pipeline/rows/shared_extraction.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include "data/error.hpp"
#include "data/sha256.hpp"
#include "pipeline/process/interrupt.hpp"
#include "pipeline/rows/dataset_extraction.hpp"
#include "pipeline/rows/stage_one_report.hpp"

namespace headstart {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kAgain = "run the same command again: it goes on from there";

/// Checks that all processes have the same list, because a share is a range of it. @throws Error kFailed if
/// not
void check_same_files(const Manifest& manifest, Processes& processes, const std::string& name) {
  Sha256Stream digest;
  for (const Sample& sample : manifest.samples) {
    digest.update(std::as_bytes(std::span(sample.path)));
    digest.update(std::as_bytes(std::span("\0", 1)));
  }
  const Sha256 own = digest.finish();
  const auto size = static_cast<std::size_t>(processes.size());
  std::vector<Sha256> all(size);
  const std::vector<std::size_t> counts(size, sizeof own.bytes);
  processes.all_gather(std::as_bytes(std::span(own.bytes)), counts, std::as_writable_bytes(std::span(all)));
  const auto other = std::find_if(all.begin(), all.end(), [&](const Sha256& one) { return one != all[0]; });
  if (other == all.end()) return;
  throw Error{Error::Kind::kFailed, "the processes do not see the same files",
              fmt::format("{}: rank {} has other paths than rank 0", name, other - all.begin()),
              "have the same dataset on every machine, and wait until nothing is added to it"};
}

/// One process's part of the work.
class Worker {
 public:
  Worker(const Manifest& manifest, int views, const Session& session, StageOne& stage_one, SharedWork& work)
      : manifest_(manifest), views_(views), session_(session), stage_one_(stage_one), work_(work) {}

  /// Takes shares until none is left, or the user asks to stop.
  void run() {
    std::uint64_t left = manifest_.samples.size();
    std::uint64_t last = 0;
    double seconds = 0.0;
    while (!interrupt_flag().load()) {
      const WorkRange block = work_.take(next_block(last, seconds, left, session_.processes->size()));
      if (block.size() == 0) return;
      const Clock::time_point start = Clock::now();
      extract_block(block);
      last = block.size();
      seconds = std::chrono::duration<double>(Clock::now() - start).count();
      left = manifest_.samples.size() - block.end;
    }
  }

  void show_all_progress() {
    ExtractionProgress all{.total = manifest_.samples.size()};
    for (const WorkCounts& counts : work_.progress()) {
      all.done += counts.done;
      all.cached += counts.cached;
      all.rejected += counts.rejected;
    }
    show_progress(session_.console, all);
  }

  [[nodiscard]] std::size_t rejected() const noexcept { return rejects_; }

 private:
  void extract_block(const WorkRange& block) {
    const auto samples = std::span(manifest_.samples).subspan(block.begin, block.size());
    std::vector<ImageSource> files;
    files.reserve(samples.size());
    for (const Sample& sample : samples) files.push_back(sample.source);
    const Extraction extraction = stage_one_.run_part(files, views_, [&](const ExtractionProgress& progress) {
      WorkCounts now = counts_;  // how many of the others were computed is known at the end of the share
      now += {.done = progress.done, .cached = progress.cached, .rejected = progress.rejected};
      work_.report(now);
      if (session_.leads()) show_all_progress();
    });
    for (std::size_t i = 0; i < samples.size(); ++i) count(samples[i], extraction.images[i]);
    for (const auto& [tap, rows] : extraction.from_taps) counts_.from_taps += rows;
    work_.report(counts_);
  }

  void count(const Sample& sample, const ImageResult& image) {
    if (image.status == ImageStatus::kSkipped) return;
    ++counts_.done;
    if (image.status == ImageStatus::kCached) ++counts_.cached;
    if (image.status == ImageStatus::kExtracted) ++counts_.computed;
    if (image.status == ImageStatus::kCopy) ++counts_.copies;
    if (image.status == ImageStatus::kRejected) ++counts_.rejected;
    report_image(sample, image, rejects_, session_.console);
  }

  const Manifest& manifest_;
  int views_;
  const Session& session_;
  StageOne& stage_one_;
  SharedWork& work_;
  WorkCounts counts_;
  std::size_t rejects_ = 0;
};

/// Throws the error of the whole work, if there is one, once all are done. Every process throws the same
/// error.
void check_end(const SharedWork::End& end, std::uint64_t total, const ImageOptions& images,
               const std::string& name) {
  const WorkCounts all = std::accumulate(end.counts.begin(), end.counts.end(), WorkCounts{},
                                         [](WorkCounts sum, const WorkCounts& one) { return sum += one; });
  // A process that died after all was done is not needed any more. Only rank 0 is needed, because rank 0
  // prints the result.
  const bool leader_lost = std::find(end.lost.begin(), end.lost.end(), 0) != end.lost.end();
  if (leader_lost || (!end.lost.empty() && all.done < total)) {
    throw Error{Error::Kind::kFailed, "a process died or cannot be reached",
                fmt::format("{}: rank {}: {} of {} images are done", name, fmt::join(end.lost, ", "),
                            all.done, total),
                kAgain};
  }
  if (all.done < total) {
    if (interrupt_flag().load())
      throw Interrupted(
          fmt::format("interrupted: {} of {} images are done and cached; the same command goes on from there",
                      all.done, total));
    throw Error{Error::Kind::kFailed, "not all images are done",
                fmt::format("{}: {} of {}", name, all.done, total), kAgain};
  }
  if (images.on_error == OnError::kFail && all.rejected > 0) {
    throw Error{Error::Kind::kData, "images were rejected",
                fmt::format("{}: {} of {}", name, all.rejected, total),
                "remove them, or pass --on-error skip"};
  }
  check_max_rejects(all.rejected, total, images, name);
}

}  // namespace

std::vector<WorkCounts> extract_together(const Manifest& manifest, const ImageOptions& images, int views,
                                         const Session& session, StageOne& stage_one,
                                         const std::string& name) {
  Processes& processes = *session.processes;
  check_same_files(manifest, processes, name);
  const std::unique_ptr<SharedWork> work = processes.share_work(manifest.samples.size());
  Worker worker(manifest, views, session, stage_one, *work);
  try {
    worker.run();
  } catch (const std::exception& error) {
    // The others go on. The error is printed here, because at the end rank 0 prints for all.
    session.console.warn(fmt::format("rank {} stops: {}", processes.rank(), error.what()));
  }
  const SharedWork::End end = work->finish();
  stage_one.store().save_accelerators(session.leads() ? FeatureStore::Compact::kWhereWorthwhile
                                                      : FeatureStore::Compact::kNo);
  session.console.progress_done();
  report_rejects_left_out(worker.rejected(), session.console);
  check_end(end, manifest.samples.size(), images, name);
  return end.counts;
}

}  // namespace headstart
