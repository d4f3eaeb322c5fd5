// tests/pipeline/commands/sample_dataset.cpp
#include "tests/pipeline/commands/sample_dataset.hpp"

#include <algorithm>
#include <sstream>

#include "tests/support/golden.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {

namespace fs = std::filesystem;

void copy_samples(const fs::path& folder, const std::vector<std::string>& classes, int images) {
  for (const std::string& name : classes) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(source_path("samples/openclipart10/" + name)))
      files.push_back(entry);
    std::sort(files.begin(), files.end());
    files.resize(std::min(files.size(), static_cast<std::size_t>(images)));
    fs::create_directories(folder / name);
    for (const fs::path& file : files) fs::copy_file(file, folder / name / file.filename());
  }
}

const TrainingRun& shared_run() {
  static const ScratchFolder scratch;
  static const TrainingRun run = [] {
    TrainingRun made{scratch / "dataset", scratch / "cache", scratch / "out", {}, {}};
    copy_samples(made.dataset, {"birds", "fruit", "roadsigns"}, 8);
    made.arguments = {"train",
                      made.dataset.string(),
                      "-o",
                      made.out.string(),
                      "--cache",
                      made.cache.string(),
                      "--hidden",
                      "32",
                      "--epochs",
                      "6",
                      "--learning-rate",
                      "0.0001",
                      "--validation",
                      "0.25"};
    made.result = headstart_process(made.arguments);
    return made;
  }();
  return run;
}

std::vector<std::vector<std::string>> read_csv(const fs::path& file) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream text(read_text(file.string()));
  for (std::string line; std::getline(text, line);) {
    std::vector<std::string> cells(1);
    for (const char c : line) {
      if (c == ',') {
        cells.emplace_back();
      } else {
        cells.back() += c;
      }
    }
    rows.push_back(cells);
  }
  return rows;
}

std::map<std::string, std::string> read_folder(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file()) files[entry.path().filename().string()] = read_text(entry.path().string());
  }
  return files;
}

}  // namespace headstart::test
