// tests/pipeline/commands/finetune_command_test.cpp: headstart finetune as the binary does it.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/nightly.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;

/// Of these tests alone: others count what is cached of the shared run's dataset.
const fs::path& cache() {
  static const ScratchFolder folder;
  static const fs::path path = folder / "cache";
  return path;
}

/// finetune on the shared run's dataset.
std::vector<std::string> arguments(const fs::path& out, const std::vector<std::string>& more) {
  std::vector<std::string> all{
      "finetune", shared_run().dataset.string(), "-o", out.string(), "--cache", cache().string(), "--batch",
      "8"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::string shared_model() { return (shared_run().out / "model.h5").string(); }

TEST(FinetuneCommand, TellsBeforeAndAfterAndWritesAModelThatEvaluatesAlike) {
  const ScratchFolder scratch;
  const ProcessResult result =
      headstart_process(arguments(scratch / "out", {"--from", shared_model(), "--epochs", "2"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("accuracy before"), std::string::npos) << result.out;
  for (const char* name : {"model.h5", "metrics.json", "history.csv", "predictions.csv", "images.csv",
                           "class_indices.json", "config.toml", "report.html"})
    EXPECT_TRUE(fs::exists(scratch / "out" / name)) << name;
  const nlohmann::json metrics = metrics_of(scratch / "out");
  const nlohmann::json head = metrics_of(shared_run().out);
  // The same images validate as when the head was trained, and what was then is what is before.
  EXPECT_EQ(metrics.at("rows_sha256"), head.at("rows_sha256"));
  EXPECT_NEAR(metrics.at("before").at("validation").at("cross_entropy").get<double>(),
              head.at("validation").at("cross_entropy").get<double>(), 1e-3);
  ASSERT_GE(metrics.at("moved").size(), 4U);
  EXPECT_EQ(metrics.at("moved").front().at("layer"), "block5_conv1");
  EXPECT_EQ(metrics.at("tuned_from_block"), 5);
  EXPECT_EQ(metrics.at("blocks_learning_rate"), 1e-5) << "the default for raw rows";
  EXPECT_EQ(result.err.find("not those that the model was trained with"), std::string::npos) << result.err;

  const fs::path json = scratch / "evaluated.json";
  const ProcessResult evaluated =
      headstart_process({"evaluate", (scratch / "out" / "model.h5").string(), shared_run().dataset.string(),
                         "--cache", cache().string(), "--json", json.string()});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  const nlohmann::json all = nlohmann::json::parse(read_text(json.string())).at("all");
  const double images = all.at("images").get<double>();
  double expected = 0.0;
  for (const char* split : {"train", "validation"})
    expected += metrics.at(split).at("loss").get<double>() * metrics.at(split).at("images").get<double>();
  EXPECT_NEAR(all.at("loss").get<double>() / (expected / images), 1.0, 1e-3);
}

TEST(FinetuneCommand, KilledAndResumedGivesTheSameBytes) {
  HEADSTART_ONLY_NIGHTLY();
  const ScratchFolder scratch;
  const std::vector<std::string> options{
      "--from",          shared_model(), "--epochs", "6",    "--blocks",     "1",
      "--learning-rate", "1e-4",         "--l2-sp",  "1e-3", "--checkpoint", "0"};
  ASSERT_EQ(headstart_process(arguments(scratch / "whole", options)).exit_code, 0);
  std::vector<std::string> resumed = arguments(scratch / "killed", options);
  resumed.emplace_back("--resume");
  const ProcessResult killed =
      headstart_process(resumed, after_a_checkpoint(scratch / "killed.checkpoint", SIGKILL, 1000));
  ASSERT_EQ(killed.exit_code, 128 + SIGKILL) << killed.err;
  const ProcessResult last = headstart_process(resumed);
  ASSERT_EQ(last.exit_code, 0) << last.err;
  EXPECT_NE(last.err.find("resuming after epoch"), std::string::npos) << last.err;
  expect_same_bytes(scratch / "killed", scratch / "whole");
  EXPECT_FALSE(fs::exists(scratch / "killed.checkpoint"));
}

TEST(FinetuneCommand, TrainsAHeadFirstWhereNoneIsGivenAndTwoBlocksOfIt) {
  HEADSTART_ONLY_NIGHTLY();
  const ScratchFolder scratch;
  const ProcessResult result = headstart_process(
      arguments(scratch / "out", {"--epochs", "1", "--blocks", "2", "--learning-rate", "1e-5"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("a head is trained first"), std::string::npos) << result.err;
  EXPECT_EQ(metrics_of(scratch / "out").at("moved").front().at("layer"), "block4_conv1");
}

TEST(FinetuneCommand, RowsReadInWindowsAreJudgedLikeRowsInMemory) {
  HEADSTART_ONLY_NIGHTLY();
  const ScratchFolder scratch;
  const std::vector<std::string> options{"--from",          shared_model(), "--epochs", "1",
                                         "--learning-rate", "1e-5",         "--window"};
  for (const char* window : {"0", "8"}) {
    std::vector<std::string> run = options;
    run.emplace_back(window);
    const ProcessResult result = headstart_process(arguments(scratch / window, run));
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }
  const nlohmann::json memory = metrics_of(scratch / "0");
  const nlohmann::json windows = metrics_of(scratch / "8");
  EXPECT_EQ(memory.at("before"), windows.at("before"));
  EXPECT_GT(windows.at("moved").back().at("relative_norm").get<double>(), 0.0);
}

TEST(FinetuneCommand, ItsConfigurationRepeatsIt) {
  HEADSTART_ONLY_NIGHTLY();
  const ScratchFolder scratch;
  const ProcessResult first = headstart_process(
      arguments(scratch / "first", {"--from", shared_model(), "--epochs", "1", "--learning-rate", "1e-5",
                                    "--l2", "1e-3", "--head-learning-rate", "1e-4", "--seed", "0"}));
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const ProcessResult again =
      headstart_process({"finetune", "--config", (scratch / "first" / "config.toml").string(), "-o",
                         (scratch / "again").string()});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  expect_same_bytes(scratch / "again", scratch / "first");
}

TEST(FinetuneCommand, AnotherSplitIsWarnedOf) {
  HEADSTART_ONLY_NIGHTLY();
  const ScratchFolder scratch;
  const ProcessResult result =
      headstart_process(arguments(scratch / "out", {"--from", shared_model(), "--epochs", "1", "--seed", "77",
                                                    "--learning-rate", "1e-6"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("not those that the model was trained with"), std::string::npos) << result.err;
}

TEST(FinetuneCommand, WhatDoesNotFitIsSaidInOneLine) {
  const ScratchFolder scratch;
  const auto refused = [&](const std::vector<std::string>& more, int exit_code, const std::string& text) {
    const ProcessResult result = headstart_process(arguments(scratch / "out", more));
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_NE(result.err.find(text), std::string::npos) << result.err;
    EXPECT_FALSE(fs::exists(scratch / "out"));
  };
  refused({"--blocks", "3"}, 2, "--blocks");
  refused({"--from", "nowhere.h5"}, 1, "nowhere.h5");
  refused({"--from", (shared_run().out / "history.csv").string()}, 1, "history.csv");
  const fs::path two = scratch / "two";
  copy_samples(two, {"birds", "bugs"}, 6);
  const ProcessResult other = headstart_process({"finetune", two.string(), "-o", (scratch / "out").string(),
                                                 "--cache", cache().string(), "--from", shared_model()});
  EXPECT_EQ(other.exit_code, 3) << other.err;
  EXPECT_NE(other.err.find("does not fit the model"), std::string::npos) << other.err;
}

TEST(FinetuneCommand, ARateThatIsTooHighIsAnErrorThatNamesIt) {
  const ScratchFolder scratch;
  const ProcessResult result = headstart_process(
      arguments(scratch / "out", {"--from", shared_model(), "--epochs", "9", "--learning-rate", "1e6"}));
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_NE(result.err.find("training diverged"), std::string::npos) << result.err;
  EXPECT_FALSE(fs::exists(scratch / "out"));
}

}  // namespace
}  // namespace headstart::test
