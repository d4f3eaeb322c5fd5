// tests/pipeline/command_line/command_line_test.cpp: help, usage errors, exit codes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/support/archive_file.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

/// One line on stderr, behind the prefix, nothing on stdout.
void expect_error(const ProcessResult& result, int exit_code, const std::string& mentions) {
  EXPECT_EQ(result.exit_code, exit_code) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err.rfind("headstart: error: ", 0), 0U) << result.err;
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_NE(result.err.find(mentions), std::string::npos) << result.err;
}

TEST(CommandLine, HelpGoesToStdoutAndSucceeds) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--help"}, {"train", "--help"}, {"predict", "-h"}, {"cache", "list", "--help"}, {"--version"}}) {
    const ProcessResult result = headstart_process(arguments);
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_NE(result.out, "");
    EXPECT_EQ(result.err, "");
  }
}

TEST(CommandLine, WrongUsageIsExitCodeTwoAndOneLine) {
  expect_error(headstart_process({}), 2, "a command is needed");
  expect_error(headstart_process({"trian"}), 2, "did you mean train?");
  expect_error(headstart_process({"train", "x", "-o", "y", "--epcohs", "3"}), 2, "did you mean --epochs?");
  expect_error(headstart_process({"train", "x"}), 2, "--out is required");
  expect_error(headstart_process({"train", "x", "-o", "y", "--epochs", "0"}), 2, "--epochs");
  expect_error(headstart_process({"train", "x", "-o", "y", "--engine", "gpu"}), 2, "auto|");
  expect_error(headstart_process({"train", "x", "-o", "y", "--l2", "nan"}), 2, "--l2");
  expect_error(headstart_process({"train", "x", "-o", "y", "--config", "/nowhere.toml"}), 2, "/nowhere.toml");
}

TEST(CommandLine, KerasNamesAreUnderstoodOrAnswered) {
  const auto train = [](const std::vector<std::string>& more) {
    std::vector<std::string> all{"train", "/nowhere", "-o", "y"};
    all.insert(all.end(), more.begin(), more.end());
    return headstart_process(all);
  };
  for (const char* name : {"--batch-size", "--batch_size", "--batch", "--lr", "--learning_rate", "--patience",
                           "--early_stopping", "--engine_batch"}) {
    expect_error(train({name, "1"}), 2, "/nowhere");
    expect_error(train({std::string(name) + "=1"}), 2, "/nowhere");
    expect_error(train({name, "none"}), 2, "'none' is not a number");
  }
  expect_error(train({"--validation_split", "0.5"}), 2, "/nowhere");
  expect_error(train({"--weight_decay", "1"}), 2, "did you mean --l2?");
  expect_error(train({"--units", "8"}), 2, "did you mean --hidden?");
  expect_error(train({"--optimizer", "adam"}), 2, "the optimizer is SGD");
  expect_error(headstart_process({"extract", "/nowhere", "--batch-size", "4"}), 2,
               "did you mean --engine-batch?");
  expect_error(train({"--lr", "1", "--rate", "1"}), 2, "excludes");
}

TEST(CommandLine, StandardizingFlattenedMapsHasToBeForced) {
  const std::vector<std::string> arguments{"train", "/nowhere", "-o", "y", "--transform", "standardize"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), more.begin(), more.end());
    return headstart_process(all);
  };
  expect_error(with({}), 2, "--force");
  expect_error(with({"--force"}), 2, "/nowhere");
  expect_error(with({"--pooling", "max"}), 2, "/nowhere");
  expect_error(with({"--pooling", "mean"}), 2, "flatten|avg|max");
  expect_error(headstart_process({"train", "x", "-o", "y", "--transform", "log"}), 2,
               "none|unit|scale|standardize");
}

TEST(CommandLine, AnUnknownKeyInTheConfigIsNamed) {
  const ScratchFolder scratch;
  std::ofstream(scratch / "c.toml") << "[train]\nepoch = 3\n";
  expect_error(headstart_process({"train", "x", "-o", "y", "--config", (scratch / "c.toml").string()}), 2,
               "epoch");
}

TEST(CommandLine, AListInTheConfigIsToldWhatItLacks) {
  const ScratchFolder scratch;
  const auto with = [&](const std::string& value) {
    std::ofstream(scratch / "c.toml") << "[train]\nhidden = " + value + "\n";
    return headstart_process({"train", "x", "-o", "y", "--config", (scratch / "c.toml").string()});
  };
  expect_error(with("[]"), 2, "line 2: hidden: it is an empty list, needed is a list, such as");
  expect_error(with("[[1]]"), 2, "line 2: hidden: it is a list that holds a list, needed is a list, such as");
}

TEST(CommandLine, HelpThatNobodyGetsIsAnError) {
  ProcessOptions full;
  full.before_exec = [] {
    const int device = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (device < 0 || dup2(device, STDOUT_FILENO) < 0) _exit(126);
  };
  for (const char* option : {"--help", "--version"})
    expect_error(headstart_process({option}, full), 1, "standard output: No space left on device");
}

TEST(CommandLine, AMissingDatasetIsWrongUsage) {
  const ScratchFolder scratch;
  expect_error(headstart_process({"train", "/nowhere/images", "-o", (scratch / "o").string()}), 2,
               "/nowhere/images");
}

TEST(CommandLine, DataThatDoesNotAllowItIsExitCodeThree) {
  const ScratchFolder scratch;
  const std::string out = (scratch / "out").string();
  const std::string cache = (scratch / "cache").string();
  std::filesystem::create_directories(scratch / "empty");
  expect_error(headstart_process({"train", (scratch / "empty").string(), "-o", out, "--cache", cache}), 3,
               "empty");

  copy_samples(scratch / "one", {"birds"}, 2);
  expect_error(headstart_process({"train", (scratch / "one").string(), "-o", out, "--cache", cache}), 3,
               "1 class");

  for (const char* name : {"a", "b"}) {
    std::filesystem::create_directories(scratch / "broken" / name);
    std::ofstream(scratch / "broken" / name / "x.jpg") << name;
  }
  const ProcessResult broken =
      headstart_process({"train", (scratch / "broken").string(), "-o", out, "--cache", cache});
  EXPECT_EQ(broken.exit_code, 3);
  EXPECT_NE(broken.err.find("no usable image"), std::string::npos) << broken.err;
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST(CommandLine, RejectLimitsAreKept) {
  const ScratchFolder scratch;
  copy_samples(scratch / "dataset", {"birds", "fruit"}, 1);
  std::ofstream(scratch / "dataset" / "birds" / "broken.jpg") << "x";
  const std::vector<std::string> base{"extract", (scratch / "dataset").string(), "--cache",
                                      (scratch / "cache").string()};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = base;
    all.insert(all.end(), more.begin(), more.end());
    return headstart_process(all).exit_code;
  };
  EXPECT_EQ(with({}), 0);
  EXPECT_EQ(with({"--max-rejects", "1"}), 0);
  EXPECT_EQ(with({"--max-rejects", "0"}), 3);
  EXPECT_EQ(with({"--max-rejects", "10%"}), 3);
  EXPECT_EQ(with({"--on-error", "fail"}), 3);
}

TEST(CommandLine, ACsvFileThatLeavesItsFolderHasToBeAllowed) {
  const ScratchFolder scratch;
  copy_samples(scratch / "images", {"birds", "fruit"}, 1);
  std::filesystem::create_directories(scratch / "set");
  std::ofstream csv(scratch / "set" / "labels.csv");
  csv << "path,label\n";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch / "images")) {
    if (entry.is_regular_file())
      csv << entry.path().string() << ',' << entry.path().parent_path().filename().string() << '\n';
  }
  csv.close();
  const std::string file = (scratch / "set" / "labels.csv").string();
  for (const char* command : {"extract", "inspect", "train"}) {
    std::vector<std::string> arguments{command, file, "--dry-run", "--cache", (scratch / "cache").string()};
    if (std::string_view(command) == "train") {
      arguments.insert(arguments.end(), {"-o", (scratch / "out").string()});
    }
    const ProcessResult refused = headstart_process(arguments);
    expect_error(refused, 1, "labels.csv, line 2: ");
    expect_error(refused, 1, "--allow-outside");
    arguments.emplace_back("--allow-outside");
    const ProcessResult allowed = headstart_process(arguments);
    EXPECT_EQ(allowed.exit_code, 0) << command << ": " << allowed.err;
    EXPECT_NE(allowed.out.find("2 images: "), std::string::npos) << allowed.out;
  }
}

TEST(CommandLine, AListOfArchivesThatLeavesItsFolderHasToBeAllowed) {
  const ScratchFolder scratch;
  write_archive(scratch / "set.tar", ArchiveKind::kTar, {{"a/1.jpg", "1"}, {"b/2.jpg", "2"}});
  std::filesystem::create_directories(scratch / "lists");
  const std::string file = (scratch / "lists" / "set.txt").string();
  write_bytes(file, "../set.tar\n");
  std::vector<std::string> arguments{"extract", file, "--dry-run", "--cache", (scratch / "cache").string()};
  const ProcessResult refused = headstart_process(arguments);
  expect_error(refused, 1, "set.txt, line 1: ");
  expect_error(refused, 1, "--allow-outside");
  arguments.emplace_back("--allow-outside");
  const ProcessResult allowed = headstart_process(arguments);
  EXPECT_EQ(allowed.exit_code, 0) << allowed.err;
  EXPECT_NE(allowed.out.find("2 images: "), std::string::npos) << allowed.out;
}

TEST(CommandLine, AskingForCudaWhereThereIsNoneSaysWhatIsMissing) {
  const ScratchFolder scratch;
  copy_samples(scratch / "dataset", {"birds", "fruit"}, 1);
  const ProcessResult result = headstart_process({"extract", (scratch / "dataset").string(), "--cache",
                                                  (scratch / "cache").string(), "--engine", "opencv-cuda"});
  if (result.exit_code == 0) GTEST_SKIP() << "this machine has a CUDA device";
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.err.find("opencv-cuda"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("CUDA"), std::string::npos) << result.err;
}

TEST(CommandLine, InfoNamesEnginesWeightsAndCache) {
  const ProcessResult result = headstart_process({"info"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* fact :
       {"onednn", "opencv-cuda", "d9a27cc1fc7f975ef8cff49180e794ccd7c4bc868ebb49740803b3bbaa8dbefd", "cache",
        "caffe: BGR, 0..255, minus 103.939, 116.779, 123.68"}) {
    EXPECT_NE(result.out.find(fact), std::string::npos) << fact << '\n' << result.out;
  }
}

}  // namespace
}  // namespace headstart::test
