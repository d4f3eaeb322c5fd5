// tests/pipeline/commands/layout_command_test.cpp: what the binary says and does about the layout of a
// dataset.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// The shared run's images, of which all are in its cache.
void copy_dataset(const fs::path& folder) {
  fs::copy(shared_run().dataset, folder, fs::copy_options::recursive);
}

/// Every second image goes to another split.
void copy_as_splits(const fs::path& folder, const std::string& training, const std::string& validation) {
  for (const auto& of_class : fs::directory_iterator(shared_run().dataset)) {
    std::vector<fs::path> files;
    for (const auto& file : fs::directory_iterator(of_class)) files.push_back(file);
    std::sort(files.begin(), files.end());
    for (std::size_t i = 0; i < files.size(); ++i) {
      const fs::path to = folder / (i % 2 == 0 ? training : validation) / of_class.path().filename();
      fs::create_directories(to);
      fs::copy_file(files[i], to / files[i].filename());
    }
  }
}

std::vector<std::string> quick_training(const fs::path& dataset, const fs::path& out, const fs::path& cache,
                                        const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{
      "train", dataset.string(), "-o", out.string(), "--cache", cache.string(), "--hidden",
      "0",     "--epochs",       "1",  "--pooling",  "avg"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(Layouts, TheFirstLineOfARunSaysHowTheDatasetWasRead) {
  ASSERT_EQ(shared_run().result.exit_code, 0) << shared_run().result.err;
  const std::string dataset = shared_run().dataset.string();
  const std::string cache = shared_run().cache.string();
  const std::string model = (shared_run().out / "model.h5").string();
  const ScratchFolder scratch;
  const std::string line = dataset + ": 24 images of 3 classes: no splits\n";
  for (const std::vector<std::string>& arguments :
       {quick_training(dataset, scratch / "out", cache),
        quick_training(dataset, scratch / "out", cache, {"--dry-run"}),
        {"extract", dataset, "--cache", cache},
        {"extract", dataset, "--cache", cache, "--dry-run"},
        {"inspect", dataset, "--cache", cache},
        {"evaluate", model, dataset, "--cache", cache},
        {"cache", "export", dataset, "-o", (scratch / "f.h5").string(), "--cache", cache}}) {
    const ProcessResult result = headstart_process(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, StartsWith(line)) << arguments[0];
    std::vector<std::string> quiet = arguments;
    quiet.emplace_back("--quiet");
    EXPECT_THAT(headstart_process(quiet).err, Not(HasSubstr("24 images of"))) << arguments[0];
  }
}

TEST(Layouts, SplitFoldersThatAreGivenAreRepeatedByTheConfig) {
  const ScratchFolder scratch;
  copy_as_splits(scratch / "set", "part_a", "part_b");
  const std::string cache = shared_run().cache.string();
  const ProcessResult ambiguous = headstart_process(quick_training(scratch / "set", scratch / "out", cache));
  EXPECT_EQ(ambiguous.exit_code, 2);
  EXPECT_THAT(ambiguous.err,
              AllOf(HasSubstr("part_a/ (with birds/, fruit/, roadsigns/)"), HasSubstr("--splits")));
  EXPECT_FALSE(fs::exists(scratch / "out"));
  const ProcessResult given = headstart_process(quick_training(
      scratch / "set", scratch / "out", cache, {"--splits", "train=part_a,validation=part_b"}));
  ASSERT_EQ(given.exit_code, 0) << given.err;
  EXPECT_THAT(given.err, HasSubstr("24 images of 3 classes: train 12, validation 12"));
  const ProcessResult again = headstart_process(
      {"train", "--config", (scratch / "out/config.toml").string(), "-o", (scratch / "again").string()});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  expect_same_bytes(scratch / "out", scratch / "again");
  const ProcessResult wrong =
      headstart_process(quick_training(scratch / "set", scratch / "other", cache, {"--splits", "training"}));
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--splits"));
}

TEST(Layouts, AGroupThatStraddlesTheGivenSplitsIsWarnedOfOnce) {
  const ScratchFolder scratch;
  copy_dataset(scratch / "set");
  std::string list = "path,label,split,group\n";
  int row = 0;
  for (const auto& of_class : fs::directory_iterator(scratch / "set")) {
    const std::string label = of_class.path().filename().string();
    for (const auto& file : fs::directory_iterator(of_class)) {
      list += label + '/' + file.path().filename().string() + ',' + label +
              (row % 2 == 0 ? ",train," : ",test,") + "g" + std::to_string(row / 2) + '\n';
      ++row;
    }
  }
  std::ofstream(scratch / "set/list.csv") << list;
  const ProcessResult result = headstart_process(
      {"extract", (scratch / "set/list.csv").string(), "--cache", shared_run().cache.string(), "--quiet"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("warning: 12 groups have images in several splits, such as 'g0': "));
  EXPECT_EQ(occurrences(result.err, "groups"), 1) << result.err;
}

TEST(Layouts, OurOwnOutputInTheDatasetIsNoClassOfTheNextRun) {
  const ScratchFolder scratch;
  copy_dataset(scratch / "set");
  fs::copy(shared_run().cache, scratch / "set/cache", fs::copy_options::recursive);
  for (int run = 0; run < 2; ++run) {
    const ProcessResult result =
        headstart_process(quick_training(scratch / "set", scratch / "set/out", scratch / "set/cache"));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("24 images of 3 classes"));
    EXPECT_THAT(result.err, HasSubstr(run == 0 ? "passed over: cache/: headstart's own output"
                                               : "passed over: cache/, out/: headstart's own output"));
  }
}

TEST(Layouts, SideFilesAreNoRejects) {
  const ScratchFolder scratch;
  copy_dataset(scratch / "set");
  for (const char* name : {"birds/1.json", "fruit/1.json", "fruit/Thumbs.db", "roadsigns/page.html"})
    std::ofstream(scratch / "set" / name) << "{}";
  const std::string set = (scratch / "set").string();
  const std::string cache = shared_run().cache.string();
  const ProcessResult extracted =
      headstart_process({"extract", set, "--cache", cache, "--on-error", "fail", "--max-rejects", "0"});
  ASSERT_EQ(extracted.exit_code, 0) << extracted.err;
  EXPECT_THAT(extracted.out, HasSubstr("24 from the cache, 0 computed, 0 rejected"));
  EXPECT_THAT(extracted.err, AllOf(HasSubstr("passed over: 2 .json, 1 .html: no images"),
                                   HasSubstr("1 Thumbs.db"), Not(HasSubstr("warning"))));
  const ProcessResult planned = headstart_process({"extract", set, "--cache", cache, "--dry-run"});
  EXPECT_THAT(planned.out, HasSubstr("24 images: 24 in the cache, 0 to compute, 0 unreadable"));
  const ProcessResult predicted = headstart_process(
      {"predict", (shared_run().out / "model.h5").string(), set, "--cache", cache, "--on-error", "fail"});
  EXPECT_EQ(predicted.exit_code, 0) << predicted.err;
  EXPECT_THAT(predicted.err, HasSubstr("2 .json, 1 .html: no images"));
  EXPECT_EQ(occurrences(predicted.out, "\n"), 25);
  // A file that is called an image is one, whatever is in it.
  std::ofstream(scratch / "set/birds/page.jpg") << "<html>";
  const ProcessResult rejected = headstart_process({"extract", set, "--cache", cache});
  EXPECT_THAT(rejected.out, HasSubstr("1 rejected"));
}

}  // namespace
}  // namespace headstart::test
