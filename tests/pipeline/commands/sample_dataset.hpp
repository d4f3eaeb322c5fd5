// tests/pipeline/commands/sample_dataset.hpp: a few classes of the sample set in a scratch folder, and one
// shared training run.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/support/process.hpp"

namespace headstart::test {

/// Copies the first `images` files (by name) of each class of samples/openclipart10 to `folder`/CLASS/.
void copy_samples(const std::filesystem::path& folder, const std::vector<std::string>& classes, int images);

/// One training run on 3 classes x 8 images, made when it is first asked for; the folder lives as long as the
/// process.
struct TrainingRun {
  std::filesystem::path dataset;
  std::filesystem::path cache;
  std::filesystem::path out;
  std::vector<std::string> arguments;  ///< of the run
  ProcessResult result;
};
[[nodiscard]] const TrainingRun& shared_run();

/// Cells of a .csv file without quoted fields, by row.
[[nodiscard]] std::vector<std::vector<std::string>> read_csv(const std::filesystem::path& file);

/// File name to content, for every file directly in `folder`.
[[nodiscard]] std::map<std::string, std::string> read_folder(const std::filesystem::path& folder);

}  // namespace headstart::test
