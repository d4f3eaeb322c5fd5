// pipeline/rows/extraction_trial.cpp
#include "pipeline/rows/extraction_trial.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "data/error.hpp"
#include "pipeline/process/interrupt.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBatches = 3;  // that are timed, after one that is not
constexpr std::size_t kLeastBatch = 8;

/// A new folder for temporary files, removed with all that is in it.
class TrialFolder {
 public:
  TrialFolder() {
    std::string name = (fs::temp_directory_path() / "headstart.XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw Error{Error::Kind::kFailed, "cannot try the extraction",
                  fmt::format("{}: {}", name, std::strerror(errno)), "name another folder with TMPDIR"};
    }
    path_ = name;
  }
  ~TrialFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TrialFolder(const TrialFolder&) = delete;
  TrialFolder& operator=(const TrialFolder&) = delete;

  [[nodiscard]] const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

std::vector<ImageSource> spread_over(std::span<const ImageSource> sources, std::size_t count) {
  std::vector<ImageSource> spread;
  for (std::size_t i = 0; i < count; ++i) spread.push_back(sources[i * sources.size() / count]);
  return spread;
}

Extraction computed(StageOne& stage_one, std::span<const ImageSource> files, int views) {
  Extraction result = stage_one.run_part(files, views, [](const ExtractionProgress&) {});
  if (result.interrupted) throw Interrupted("interrupted");
  return result;
}

}  // namespace

std::optional<ExtractionSpeed> try_extraction(const StageOne& stage_one, std::span<const ImageSource> sources,
                                              int views, const Session& session) {
  StageOneOptions options = stage_one.options();
  const std::size_t batch = std::max(kLeastBatch, static_cast<std::size_t>(options.batch_size));
  const std::size_t images = (1 + kBatches) * batch;
  if (sources.size() < images) return std::nullopt;
  const TrialFolder folder;
  options.cache = folder.path();
  const std::span<const Tap> taps = stage_one.taps();
  StageOne trial(stage_one.weights(), {taps.begin(), taps.end()}, options,
                 Session{session.console, session.threads});
  const std::vector<ImageSource> spread = spread_over(sources, images);
  static_cast<void>(computed(trial, std::span(spread).first(batch), views));
  const double seconds = computed(trial, std::span(spread).subspan(batch), views).seconds;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return ExtractionSpeed{
      static_cast<double>(kBatches * batch * static_cast<std::size_t>(1 + views)) / seconds, kBatches * batch,
      std::int64_t{1024} * usage.ru_maxrss};
}

}  // namespace headstart
