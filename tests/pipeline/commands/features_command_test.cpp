// tests/pipeline/commands/features_command_test.cpp: train and sweep --features, as the binary does it: rows
// that were exported train the head that the cache's rows train.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/nightly.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;

void export_shared(const fs::path& file, const std::vector<std::string>& more = {}) {
  std::vector<std::string> command{"cache",       "export",  shared_run().dataset.string(), "-o",
                                   file.string(), "--cache", shared_run().cache.string()};
  command.insert(command.end(), more.begin(), more.end());
  const ProcessResult result = headstart_process(command);
  ASSERT_EQ(result.exit_code, 0) << result.err;
}

/// The shared run, on the rows of `file`.
ProcessResult train(const fs::path& file, const fs::path& out, const std::vector<std::string>& more = {}) {
  const std::vector<std::string> shared = shared_arguments(out);
  std::vector<std::string> command{"train", "--features", file.string(), "-o", out.string()};
  command.insert(command.end(), std::find(shared.begin(), shared.end(), "--hidden"), shared.end());
  command.insert(command.end(), more.begin(), more.end());
  return headstart_process(command);
}

void expect_usage_error(const ProcessResult& result, const std::string& words) {
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_NE(result.err.find(words), std::string::npos) << result.err;
}

TEST(FeaturesCommand, GivesTheBytesOfARunOnTheCache) {
  const ScratchFolder scratch;
  export_shared(scratch / "f.h5");
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"--solver", "gram"}, {"--solver", "primal"}, {"--pooling", "max"}}) {
    const ProcessResult cached = headstart_process(shared_arguments(scratch / "cached", options));
    ASSERT_EQ(cached.exit_code, 0) << cached.err;
    const ProcessResult read = train(scratch / "f.h5", scratch / "read", options);
    ASSERT_EQ(read.exit_code, 0) << read.err;
    EXPECT_EQ(read.out.substr(0, read.out.find("model:")), cached.out.substr(0, cached.out.find("model:")));
    expect_same_bytes(scratch / "read", scratch / "cached");
  }
  EXPECT_EQ(metrics_of(scratch / "read")["engine"], "none");
}

TEST(FeaturesCommand, PooledRowsTrainAsIfTheyWerePooledNow) {
  const ScratchFolder scratch;
  export_shared(scratch / "f.h5", {"--pooling", "avg"});
  const std::vector<std::string> options{"--transform", "standardize", "--learning-rate", "0.01"};
  std::vector<std::string> with_pooling = options;
  with_pooling.insert(with_pooling.end(), {"--pooling", "avg"});
  ASSERT_EQ(headstart_process(shared_arguments(scratch / "cached", with_pooling)).exit_code, 0);
  const ProcessResult read = train(scratch / "f.h5", scratch / "read", options);
  ASSERT_EQ(read.exit_code, 0) << read.err;
  expect_same_bytes(scratch / "read", scratch / "cached");

  // What it wrote repeats it, and labels images.
  const ProcessResult again = headstart_process(
      {"train", "--config", (scratch / "read" / "config.toml").string(), "-o", (scratch / "again").string()});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  expect_same_bytes(scratch / "again", scratch / "read");
  const ProcessResult evaluated =
      headstart_process({"evaluate", (scratch / "read" / "model.h5").string(), shared_run().dataset.string(),
                         "--cache", shared_run().cache.string()});
  EXPECT_EQ(evaluated.exit_code, 0) << evaluated.err;

  expect_usage_error(train(scratch / "f.h5", scratch / "no", {"--pooling", "max"}), "pooled already (avg)");
}

TEST(FeaturesCommand, ANpyFileGivesTheBytesOfARunOnTheCache) {
  const ScratchFolder scratch;
  export_shared(scratch / "f.npy");
  const std::vector<std::string> options{"--solver", "primal", "--top-k", "2"};
  ASSERT_EQ(headstart_process(shared_arguments(scratch / "cached", options)).exit_code, 0);
  const ProcessResult read = train(scratch / "f.npy", scratch / "read", options);
  ASSERT_EQ(read.exit_code, 0) << read.err;
  expect_same_bytes(scratch / "read", scratch / "cached");
  EXPECT_TRUE(read_text((scratch / "read" / "predictions.csv").string())
                  .starts_with("path,label,predicted,probability,predicted_2,probability_2\n"));
}

TEST(FeaturesCommand, ExportReplacesNoFileOfAnotherTable) {
  const ScratchFolder scratch;
  const auto run = [&](const fs::path& file) {
    return headstart_process({"cache", "export", shared_run().dataset.string(), "-o", file.string(),
                              "--cache", shared_run().cache.string(), "--pooling", "avg"});
  };
  fs::create_directory(scratch / "mine");
  std::ofstream(scratch / "mine" / "labels.csv") << "path,label\nmy.jpg,mine\n";
  expect_usage_error(run(scratch / "mine" / "f.npy"), "labels.csv: name a folder of its own");
  EXPECT_EQ(read_text((scratch / "mine" / "labels.csv").string()), "path,label\nmy.jpg,mine\n");
  EXPECT_FALSE(fs::exists(scratch / "mine" / "f.npy"));

  ASSERT_EQ(run(scratch / "a.npy").exit_code, 0);
  EXPECT_EQ(run(scratch / "a.npy").exit_code, 0) << "its own files are replaced";
  expect_usage_error(run(scratch / "b.npy"), "labels.csv");
}

TEST(FeaturesCommand, AWindowReadsFromTheFile) {
  const ScratchFolder scratch;
  export_shared(scratch / "f.h5");
  const std::vector<std::string> options{"--solver", "primal",          "--transform",
                                         "unit",     "--learning-rate", "0.1"};
  std::vector<std::string> windowed = options;
  windowed.insert(windowed.end(), {"--window", "18"});
  ASSERT_EQ(train(scratch / "f.h5", scratch / "memory", options).exit_code, 0);
  const ProcessResult read = train(scratch / "f.h5", scratch / "window", windowed);
  ASSERT_EQ(read.exit_code, 0) << read.err;
  EXPECT_NE(read.err.find("read from f.h5 18 rows at a time"), std::string::npos) << read.err;
  expect_same_bytes(scratch / "window", scratch / "memory");
}

TEST(FeaturesCommand, SweepSearchesWhatTheFileAllows) {
  const ScratchFolder scratch;
  export_shared(scratch / "f.h5", {"--pooling", "max"});
  const std::vector<std::string> small{"--hidden", "0",       "--rates", "0.3",      "--l2",
                                       "0.001",    "--folds", "2",       "--rounds", "4"};
  std::vector<std::string> command{"sweep", "--features", (scratch / "f.h5").string(), "-o",
                                   (scratch / "out").string()};
  command.insert(command.end(), small.begin(), small.end());
  const ProcessResult result = headstart_process(command);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(metrics_of(scratch / "out")["pooling"], "max");
  EXPECT_EQ(occurrences(read_text((scratch / "out" / "sweep.csv").string()), "flatten"), 0);
  EXPECT_EQ(occurrences(result.out, "flatten"), 0) << result.out;  // train's defaults are of these rows, too
  const ProcessResult again = headstart_process(
      {"train", "--config", (scratch / "out" / "config.toml").string(), "-o", (scratch / "again").string()});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  expect_same_bytes(scratch / "again", scratch / "out");

  command.insert(command.end(), {"--poolings", "flatten,avg"});
  expect_usage_error(headstart_process(command), "pooled already (max)");
}

TEST(FeaturesCommand, TellsWhatContradictsTheFile) {
  const ScratchFolder scratch;
  export_shared(scratch / "f.h5");
  const fs::path out = scratch / "out";
  expect_usage_error(train(scratch / "f.h5", out, {shared_run().dataset.string()}), "excludes");
  expect_usage_error(train(scratch / "f.h5", out, {"--tap", "block4_pool"}), "--tap");
  expect_usage_error(train(scratch / "f.h5", out, {"--input-size", "160"}), "--input-size");
  expect_usage_error(train(scratch / "f.h5", out, {"--transform", "standardize"}), "--force");
  expect_usage_error(headstart_process({"train", "-o", out.string()}), "no dataset");

  // Files that are something else. Features of other weights: tests/interop.
  const ProcessResult image = train(fs::directory_iterator(shared_run().dataset / "birds")->path(), out);
  EXPECT_EQ(image.exit_code, 1);
  EXPECT_EQ(occurrences(image.err, "\n"), 1) << image.err;
  const ProcessResult model = train(shared_run().out / "model.h5", out);
  EXPECT_EQ(model.exit_code, 1);
  EXPECT_EQ(occurrences(model.err, "\n"), 1) << model.err;
  EXPECT_FALSE(fs::exists(out));
}

TEST(FeaturesCommand, DryRunCountsTheClasses) {
  const ScratchFolder scratch;
  export_shared(scratch / "f.h5");
  const ProcessResult result = train(scratch / "f.h5", scratch / "out", {"--dry-run"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("24 rows of"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("birds"), std::string::npos) << result.out;
  EXPECT_FALSE(fs::exists(scratch / "out"));
}

TEST(FeaturesCommand, ResumesOnlyWithTheSameFeatures) {
  HEADSTART_ONLY_NIGHTLY();
  const ScratchFolder scratch;
  export_shared(scratch / "f.h5");
  std::vector<std::string> command{"train",
                                   "--features",
                                   (scratch / "f.h5").string(),
                                   "-o",
                                   (scratch / "out").string(),
                                   "--epochs",
                                   "2000",
                                   "--solver",
                                   "gram",
                                   "--checkpoint",
                                   "0"};
  // Killed after a checkpoint: it takes far longer than the kill.
  static_cast<void>(
      headstart_process(command, after_a_checkpoint(scratch / "out.checkpoint", SIGKILL, 1000)));
  ASSERT_TRUE(fs::exists(scratch / "out.checkpoint"));
  command.emplace_back("--resume");
  fs::rename(scratch / "f.h5", scratch / "kept.h5");
  export_shared(scratch / "f.h5", {"--dtype", "float16"});
  expect_usage_error(headstart_process(command), "features_sha256 is");
  fs::rename(scratch / "kept.h5", scratch / "f.h5");
  const ProcessResult resumed = headstart_process(command);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
}

}  // namespace
}  // namespace headstart::test
