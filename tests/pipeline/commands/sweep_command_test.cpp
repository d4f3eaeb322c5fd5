// tests/pipeline/commands/sweep_command_test.cpp: sweep and train --auto, as the binary does them.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::vector<std::string> sweep_arguments(const fs::path& dataset, const fs::path& out,
                                         const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"sweep",    dataset.string(),
                                     "-o",       out.string(),
                                     "--cache",  shared_run().cache.string(),
                                     "--folds",  "3",
                                     "--hidden", "0,8",
                                     "--rates",  "0.3",
                                     "--rounds", "2,6"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(Sweep, ChoosesTrainsAndSaysWhatWasHeldOut) {
  const ScratchFolder scratch;
  const ProcessResult result = headstart_process(
      sweep_arguments(shared_run().dataset, scratch / "out", {"--nested", "--learning-curve"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* text :
       {"ridge", "train's defaults", "optimistic", "Nested", "no choice saw", "learning curve"}) {
    EXPECT_NE(result.out.find(text), std::string::npos) << text << "\n" << result.out;
  }
  const auto scores = read_csv(scratch / "out" / "sweep.csv");
  ASSERT_EQ(scores.size(), 1U + 8U * 2U * 3U);  // representations, heads, lambdas
  const Json metrics = metrics_of(scratch / "out");
  EXPECT_EQ(metrics["sweep"]["chosen"]["pooling"], scores[1][0]);
  EXPECT_EQ(metrics["pooling"], scores[1][0]);
  EXPECT_EQ(metrics["sweep"]["images"], 18);
  EXPECT_EQ(metrics["validation"]["images"], 6);
  EXPECT_EQ(metrics["temperature"], metrics["sweep"]["temperature"]);
  EXPECT_FALSE(metrics["sweep"]["nested"].is_null());
  EXPECT_FALSE(metrics["sweep"]["learning_curve"].empty());
  EXPECT_NE(read_text((scratch / "out" / "report.html").string()).find("Cross-validated configurations"),
            std::string::npos);
}

TEST(Sweep, ItsConfigurationRepeatsTheTrainingByteForByte) {
  const ScratchFolder scratch;
  ASSERT_EQ(headstart_process(sweep_arguments(shared_run().dataset, scratch / "out")).exit_code, 0);
  const ProcessResult result = headstart_process(
      {"train", "--config", (scratch / "out" / "config.toml").string(), "-o", (scratch / "again").string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* file : {"model.h5", "predictions.csv"}) {
    EXPECT_EQ(read_text((scratch / "again" / file).string()), read_text((scratch / "out" / file).string()))
        << file;
  }
}

TEST(Sweep, ItsConfigurationRepeatsTheSearchFromAnyFolder) {
  const ScratchFolder scratch;
  const std::string set = shared_run().dataset.string();
  ProcessOptions here;
  here.directory = scratch.path().string();
  fs::create_directory(scratch / "elsewhere");
  fs::create_directory_symlink(set, scratch / "set");
  ASSERT_EQ(headstart_process(sweep_arguments("set", "out"), here).exit_code, 0);
  const std::string config = read_text((scratch / "out" / "config.toml").string());
  // The chosen learning rate is a quotient of sixteen digits. What it is made from is written.
  EXPECT_NE(config.find("\nrate = 0.3\n"), std::string::npos) << config;
  EXPECT_EQ(config.find("\nlearning-rate"), std::string::npos) << config;
  for (const char* text : {"format = 2\n", "\n[sweep]\n", "\n[train]\n", "# Heads to try", "rounds = [2, 6]"})
    EXPECT_NE(config.find(text), std::string::npos) << text << '\n' << config;
  EXPECT_EQ(config.find("# Heads to try", config.find("[train]")), std::string::npos) << config;

  const std::string model = read_text((scratch / "out" / "model.h5").string());
  const std::string scores = read_text((scratch / "out" / "sweep.csv").string());
  fs::remove_all(scratch / "out" / "model.h5");
  ProcessOptions elsewhere;
  elsewhere.directory = (scratch / "elsewhere").string();
  fs::copy_file(scratch / "out" / "config.toml", scratch / "elsewhere" / "c.toml");
  const ProcessResult again = headstart_process({"sweep", "--config", "c.toml"}, elsewhere);
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_TRUE(read_text((scratch / "out" / "model.h5").string()) == model);
  EXPECT_EQ(read_text((scratch / "out" / "sweep.csv").string()), scores);
  EXPECT_EQ(read_text((scratch / "out" / "config.toml").string()), config);
}

TEST(Sweep, NoChoiceSeesTheValidationSplit) {
  const ScratchFolder scratch;
  const std::vector<std::string> classes{"birds", "fruit", "roadsigns"};
  for (std::size_t c = 0; c < classes.size(); ++c) {
    int images = 0;
    for (const fs::directory_entry& image : fs::directory_iterator(shared_run().dataset / classes[c])) {
      const bool held_out = ++images > 5;
      for (const bool wrong : {false, true}) {
        // The wrong one has every validation image under the next class.
        const std::string& label = classes[held_out && wrong ? (c + 1) % classes.size() : c];
        const fs::path folder =
            scratch / (wrong ? "wrong" : "right") / (held_out ? "validation" : "train") / label;
        fs::create_directories(folder);
        fs::copy_file(image.path(), folder / image.path().filename());
      }
    }
  }
  for (const char* variant : {"right", "wrong"}) {
    const ProcessResult result = headstart_process(
        sweep_arguments(scratch / variant, scratch / (std::string("out_") + variant), {"--folds", "2"}));
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }
  EXPECT_EQ(read_text((scratch / "out_right" / "sweep.csv").string()),
            read_text((scratch / "out_wrong" / "sweep.csv").string()));
  EXPECT_NE(metrics_of(scratch / "out_right")["validation"]["cross_entropy"],
            metrics_of(scratch / "out_wrong")["validation"]["cross_entropy"]);
}

TEST(Sweep, AutoIsSweepWithItsDefaults) {
  const ScratchFolder scratch;
  const ProcessResult result =
      headstart_process({"train", shared_run().dataset.string(), "-o", (scratch / "out").string(), "--cache",
                         shared_run().cache.string(), "--auto"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(read_csv(scratch / "out" / "sweep.csv").size(), 1U + 192U);
  EXPECT_GT(read_csv(scratch / "out" / "history.csv").size(), 24U);
  EXPECT_LE(occurrences(result.err, "\nepoch "), 14) << "the chosen training: a dozen lines";
  const ProcessResult again = headstart_process(
      {"train", "--config", (scratch / "out" / "config.toml").string(), "-o", (scratch / "again").string()});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_FALSE(fs::exists(scratch / "again" / "sweep.csv"));
  EXPECT_EQ(read_text((scratch / "again" / "model.h5").string()),
            read_text((scratch / "out" / "model.h5").string()));
}

TEST(Sweep, AutoRefusesWhatItWouldDecide) {
  const ScratchFolder scratch;
  const std::vector<std::vector<std::string>> decided{
      {"--pooling", "avg"},        {"--transform", "unit"},   {"--hidden", "16"},
      {"--learning-rate", "0.01"}, {"--l2", "0.001"},         {"--epochs", "3"},
      {"--schedule", "cosine"},    {"--early-stopping", "2"}, {"--temperature", "2"}};
  std::vector<std::string> all;
  const auto refused = [&](const std::vector<std::string>& options) {
    std::vector<std::string> arguments{
        "train",   shared_run().dataset.string(), "-o",    (scratch / "out").string(),
        "--cache", shared_run().cache.string(),   "--auto"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const ProcessResult result = headstart_process(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    for (std::size_t i = 0; i < options.size(); i += 2)
      EXPECT_NE(result.err.find(options[i]), std::string::npos) << result.err;
    EXPECT_EQ(occurrences(result.err, "\n"), 1) << result.err;
    EXPECT_FALSE(fs::exists(scratch / "out"));
  };
  for (const std::vector<std::string>& option : decided) {
    refused(option);
    all.insert(all.end(), option.begin(), option.end());
  }
  refused(all);
  std::ofstream(scratch / "config.toml") << "[train]\nauto=true\nhidden=16\n";
  const ProcessResult result =
      headstart_process({"train", shared_run().dataset.string(), "-o", (scratch / "out").string(), "--config",
                         (scratch / "config.toml").string()});
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_NE(result.err.find("--auto: decides --hidden"), std::string::npos) << result.err;
}

TEST(Sweep, RefusesWhatCanNotBe) {
  const ScratchFolder scratch;
  const auto refused = [&](const std::vector<std::string>& more, int exit_code, const std::string& says) {
    const ProcessResult result =
        headstart_process(sweep_arguments(shared_run().dataset, scratch / "out", more));
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_NE(result.err.find(says), std::string::npos) << result.err;
    EXPECT_FALSE(fs::exists(scratch / "out"));
  };
  refused({"--folds", "19"}, 3, "fold");
  refused({"--hidden", "8+0"}, 2, "--hidden");
  refused({"--poolings", "median"}, 2, "--poolings");
  refused({"--rounds", "6,2"}, 2, "--rounds");
  refused({"--poolings", "flatten", "--transforms", "standardize"}, 2, "standardize");
}

}  // namespace
}  // namespace headstart::test
