// tests/pipeline/commands/window_command_test.cpp: train --window, as the binary does it: flattened rows are
// read from the cache, some at a time, in every epoch.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/nightly.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

bool says(const std::string& text, const std::string& word) { return text.find(word) != std::string::npos; }

/// The shared data set, with the first 3 images of each class in validation/ and the others in train/.
void copy_split(const fs::path& folder) {
  for (const auto& label : fs::directory_iterator(shared_run().dataset)) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(label)) files.push_back(entry);
    std::sort(files.begin(), files.end());
    for (std::size_t i = 0; i < files.size(); ++i) {
      const fs::path to = folder / (i < 3 ? "validation" : "train") / label.path().filename();
      fs::create_directories(to);
      fs::copy_file(files[i], to / files[i].filename());
    }
  }
}

struct LargeWindow {
  std::string transform;
  std::string learning_rate;
  std::string rows;
};

class WindowCommand : public testing::TestWithParam<LargeWindow> {};

TEST_P(WindowCommand, OneThatHoldsEveryTrainingImageGivesTheBytesOfARunInMemory) {
  const ScratchFolder scratch;
  const std::vector<std::string> options{"--solver",
                                         "primal",
                                         "--transform",
                                         GetParam().transform,
                                         "--learning-rate",
                                         GetParam().learning_rate,
                                         "--dropout",
                                         "0.2",
                                         "--batch",
                                         "4",
                                         "--l2",
                                         "0.001"};
  const ProcessResult in_memory = headstart_process(shared_arguments(scratch / "memory", options));
  ASSERT_EQ(in_memory.exit_code, 0) << in_memory.err;
  EXPECT_FALSE(says(in_memory.err, "at a time")) << in_memory.err;

  std::vector<std::string> command = shared_arguments(scratch / "window", options);
  command.insert(command.end(), {"--window", GetParam().rows});
  const ProcessResult read = headstart_process(command);
  ASSERT_EQ(read.exit_code, 0) << read.err;
  EXPECT_TRUE(says(read.err, "read from the cache " + GetParam().rows + " rows at a time")) << read.err;
  expect_same_bytes(scratch / "window", scratch / "memory");
}

INSTANTIATE_TEST_SUITE_P(Transforms, WindowCommand,
                         testing::Values(LargeWindow{"none", "0.0001", "1000"},
                                         LargeWindow{"none", "0.0001", "18"},
                                         LargeWindow{"unit", "0.1", "1000"},
                                         LargeWindow{"scale", "0.1", "1000"}),
                         [](const auto& test) { return test.param.transform + test.param.rows; });

TEST(WindowCommandTest, ASmallOneTrainsWhatEvaluateMeasures) {
  const ScratchFolder scratch;
  copy_split(scratch / "dataset");
  const auto train = [&](const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> command = shared_arguments(
        scratch / out,
        {"--solver", "auto", "--transform", "scale", "--learning-rate", "0.1", "--batch", "3"});
    command[1] = (scratch / "dataset").string();
    command.insert(command.end(), more.begin(), more.end());
    return headstart_process(command);
  };
  const ProcessResult result = train("window", {"--window", "6"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::size_t line = result.err.find("stage two: 15 training and 9 validation images");
  ASSERT_NE(line, std::string::npos) << result.err;
  EXPECT_TRUE(says(result.err.substr(line, result.err.find('\n', line) - line),
                   "read from the cache 6 rows at a time"))
      << result.err;
  const Json metrics = metrics_of(scratch / "window");
  EXPECT_EQ(metrics["solver"], "primal");
  EXPECT_GT(metrics["train"]["accuracy"], 0.9);
  // Measured a window at a time, before folding; metrics.json is of the saved model.
  const double loss = metrics["validation"]["loss"];
  EXPECT_NEAR(std::strtod(read_csv(scratch / "window" / "history.csv").back()[3].c_str(), nullptr), loss,
              1e-5 * std::abs(loss));

  const ProcessResult evaluated = headstart_process(
      {"evaluate", (scratch / "window" / "model.h5").string(), (scratch / "dataset").string(), "--cache",
       shared_run().cache.string(), "--json", (scratch / "evaluation.json").string()});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  const Json evaluation = Json::parse(read_text((scratch / "evaluation.json").string()));
  EXPECT_EQ(evaluation["training"], metrics["train"]);
  EXPECT_EQ(evaluation["validation"], metrics["validation"]);

  ASSERT_EQ(train("memory", {"--solver", "primal"}).exit_code, 0);
  EXPECT_FALSE(read_text((scratch / "memory" / "model.h5").string()) ==
               read_text((scratch / "window" / "model.h5").string()))
      << "rows of two windows never share a batch";
}

TEST(WindowCommandTest, KilledAndResumedGivesTheSameBytesButNotWithAnotherWindow) {
  HEADSTART_ONLY_NIGHTLY();
  const ScratchFolder scratch;
  const std::vector<std::string> options{"--epochs",  "40",  "--batch",          "3", "--window", "6",
                                         "--dropout", "0.2", "--early-stopping", "35"};
  ASSERT_EQ(headstart_process(shared_arguments(scratch / "whole", options)).exit_code, 0);

  std::vector<std::string> command = shared_arguments(scratch / "killed", options);
  command.insert(command.end(), {"--checkpoint", "0"});
  const ProcessResult killed =
      headstart_process(command, after_a_checkpoint(scratch / "killed.checkpoint", SIGKILL, 5'000));
  ASSERT_EQ(killed.exit_code, 128 + SIGKILL) << killed.err;
  EXPECT_FALSE(fs::exists(scratch / "killed"));

  command.insert(command.end(), {"--checkpoint", "1000", "--resume"});
  for (const char* other : {"9", "0"}) {
    std::vector<std::string> foreign = command;
    foreign.insert(foreign.end(), {"--window", other});
    const ProcessResult refused = headstart_process(foreign);
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_TRUE(says(refused.err, std::string("window is 6 there, ") + other + " here")) << refused.err;
  }
  const ProcessResult resumed = headstart_process(command);
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_TRUE(says(resumed.err, "resuming after epoch")) << resumed.err;
  expect_same_bytes(scratch / "killed", scratch / "whole");
}

TEST(WindowCommandTest, WhatNeedsAllRowsInMemoryIsRefusedInOneLine) {
  const ScratchFolder scratch;
  const auto error_of = [&](const std::vector<std::string>& more, int exit_code) {
    std::vector<std::string> command = shared_arguments(scratch / "out", {"--window", "64", "--quiet"});
    command.insert(command.end(), more.begin(), more.end());
    const ProcessResult result = headstart_process(command);
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_EQ(occurrences(result.err, "\n"), 1) << result.err;
    EXPECT_FALSE(says(result.err, "unexpected")) << result.err;
    EXPECT_FALSE(fs::exists(scratch / "out"));
    return result.err;
  };
  const std::string gram = error_of({"--solver", "gram"}, 2);
  EXPECT_TRUE(says(gram, "the gram solver needs all rows in memory")) << gram;
  const std::string standardize =
      error_of({"--pooling", "flatten", "--transform", "standardize", "--force"}, 3);
  EXPECT_TRUE(says(standardize, "cannot standardize flattened maps: --window 64")) << standardize;
}

TEST(WindowCommandTest, PooledRowsAreInMemoryWhateverItIs) {
  const ScratchFolder scratch;
  const std::vector<std::string> options{"--pooling", "avg", "--transform",     "standardize",
                                         "--batch",   "4",   "--learning-rate", "0.01"};
  ASSERT_EQ(headstart_process(shared_arguments(scratch / "without", options)).exit_code, 0);
  std::vector<std::string> command = shared_arguments(scratch / "with", options);
  command.insert(command.end(), {"--window", "8"});
  const ProcessResult result = headstart_process(command);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_FALSE(says(result.err, "at a time")) << result.err;
  expect_same_bytes(scratch / "with", scratch / "without");
}

TEST(WindowCommandTest, ASearchMayChooseFlattenedRows) {
  HEADSTART_ONLY_NIGHTLY();
  const ScratchFolder scratch;
  for (int seed = 1; seed <= 12; ++seed) {  // on these few images, the best differs from split to split
    const std::vector<std::string> options{"--auto", "--solver", "primal", "--seed", std::to_string(seed)};
    std::vector<std::string> command = shared_arguments(scratch / "window", options);
    command.insert(command.end(), {"--window", "1000"});
    const ProcessResult result = headstart_process(command);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    if (metrics_of(scratch / "window")["pooling"] != "flatten") continue;
    EXPECT_TRUE(says(result.err, "read from the cache 1000 rows at a time")) << result.err;
    ASSERT_EQ(headstart_process(shared_arguments(scratch / "memory", options)).exit_code, 0);
    return expect_same_bytes(scratch / "window", scratch / "memory");
  }
  FAIL() << "no search chose flattened rows";
}

}  // namespace
}  // namespace headstart::test
