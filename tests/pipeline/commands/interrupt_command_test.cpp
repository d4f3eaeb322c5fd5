// tests/pipeline/commands/interrupt_command_test.cpp: every command ends within two seconds of Ctrl-C,
// wherever it is.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

/// Two seconds on an idle machine. On a busy one, or with sanitizers, the start of the program tells how much
/// slower all is.
Seconds longest_wait() {
  const Clock::time_point start = Clock::now();
  EXPECT_EQ(headstart_process({"--version"}).exit_code, 0);
  return Seconds(2.0) + 20.0 * (Clock::now() - start);
}

struct Interruption {
  ProcessResult result;
  Seconds waited{};  // from the signal to the end
};

/// Runs headstart and sends SIGINT after so many milliseconds.
Interruption interrupted(const std::vector<std::string>& arguments, int milliseconds,
                         ProcessOptions options = {}) {
  Clock::time_point sent;
  options.while_running = [&](int pid) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    sent = Clock::now();
    kill(pid, SIGINT);
  };
  Interruption run;
  run.result = headstart_process(arguments, options);
  run.waited = Clock::now() - sent;
  return run;
}

void expect_quick_end(const std::vector<std::string>& arguments, int milliseconds,
                      ProcessOptions options = {}) {
  const Seconds longest = longest_wait();
  const Interruption run = interrupted(arguments, milliseconds, std::move(options));
  const std::string what =
      arguments.front() + " after " + std::to_string(milliseconds) + " ms: " + run.result.err;
  EXPECT_TRUE(run.result.exit_code == 130 || run.result.exit_code == 0) << run.result.exit_code << what;
  EXPECT_LT(run.waited.count(), longest.count()) << what;
}

TEST(InterruptCommand, AListThatNeverEndsIsLeft) {
  ProcessOptions endless;
  endless.before_exec = [] {
    int ends[2];
    if (pipe(ends) != 0 || dup2(ends[0], STDIN_FILENO) < 0) _exit(126);  // its own other end stays open
  };
  const Seconds longest = longest_wait();
  const Interruption run = interrupted(
      {"predict", (shared_run().out / "model.h5").string(), "-", "--cache", shared_run().cache.string()}, 700,
      endless);
  EXPECT_EQ(run.result.exit_code, 130) << run.result.err;
  EXPECT_NE(run.result.err.find("headstart: interrupted: "), std::string::npos) << run.result.err;
  EXPECT_LT(run.waited.count(), longest.count());
}

TEST(InterruptCommand, MessagesThatNobodyReadsAreNotWaitedFor) {
  const ScratchFolder scratch;
  ProcessOptions unread;
  unread.before_exec = [] {
    int ends[2];
    if (pipe(ends) != 0 || dup2(ends[1], STDERR_FILENO) < 0) _exit(126);  // its own other end stays open
    const std::string line(100, 'x');
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (write(ends[1], line.data(), line.size()) > 0) continue;
    fcntl(ends[1], F_SETFL, 0);
  };
  const Seconds longest = longest_wait();
  const Interruption run =
      interrupted(shared_arguments(scratch / "out", {"--epochs", "100000"}), 1000, unread);
  EXPECT_EQ(run.result.exit_code, 130);
  EXPECT_LT(run.waited.count(), longest.count());
}

TEST(InterruptCommand, TheCacheIsLeftWhereItHangs) {
  const ScratchFolder scratch;
  fs::copy(shared_run().cache, scratch / "cache", fs::copy_options::recursive);
  for (const auto& entry : fs::recursive_directory_iterator(scratch / "cache")) {
    const bool is_tap = entry.path().filename() == "block5_pool";
    if (is_tap) {
      ASSERT_EQ(mkfifo((entry.path() / "segment-hangs.h5").c_str(), 0600), 0);
    }
  }
  for (const char* command : {"list", "verify", "compact", "prune"}) {
    std::vector<std::string> arguments{"cache", command, "--cache", (scratch / "cache").string()};
    if (std::string(command) == "prune") arguments.insert(arguments.end(), {"--older-than", "1000d"});
    const Seconds longest = longest_wait();
    const Interruption run = interrupted(arguments, 300);
    EXPECT_LT(run.waited.count(), longest.count()) << command << run.result.err;
  }
}

TEST(InterruptCommand, ASweepEndsInEachOfItsPhasesAndLeavesNothing) {
  const ScratchFolder scratch;
  for (const int milliseconds : {300, 700, 1200}) {
    const Seconds longest = longest_wait();
    const Interruption run = interrupted(
        {"sweep", shared_run().dataset.string(), "-o", (scratch / "out").string(), "--cache",
         shared_run().cache.string(), "--rounds", "1000000", "--nested", "--learning-curve", "--folds", "3"},
        milliseconds);
    EXPECT_EQ(run.result.exit_code, 130) << run.result.err;
    EXPECT_LT(run.waited.count(), longest.count()) << run.result.err;
    EXPECT_TRUE(fs::is_empty(scratch.path())) << "the unfinished folder is cleared away";
  }
}

TEST(InterruptCommand, EveryMomentOfARunIsAMomentToEnd) {
  const ScratchFolder scratch;
  const TrainingRun& shared = shared_run();
  const std::string data = shared.dataset.string();
  const std::string model = (shared.out / "model.h5").string();
  const std::string cold = (scratch / "cold").string();
  const std::string out = (scratch / "out").string();
  for (const int milliseconds : {150, 500, 1000}) {
    expect_quick_end(shared_arguments(scratch / "out", {"--epochs", "100000"}), milliseconds);
    expect_quick_end({"inspect", data, "--cache", shared.cache.string()}, milliseconds);
    expect_quick_end({"predict", model, data, "--cache", shared.cache.string()}, milliseconds);
    expect_quick_end({"evaluate", model, data, "--cache", shared.cache.string()}, milliseconds);
    expect_quick_end({"finetune", data, "-o", out, "--cache", shared.cache.string(), "--from", model,
                      "--epochs", "1000", "--batch", "8"},
                     3 * milliseconds);
    expect_quick_end({"export", model, "--to", "onnx", "-o", (scratch / "model.onnx").string()},
                     milliseconds / 3);
    expect_quick_end(
        {"cache", "export", data, "-o", (scratch / "rows.h5").string(), "--cache", shared.cache.string()},
        milliseconds / 3);
  }
}

TEST(InterruptCommand, AnExtractionEndsWithTheBatchThatRuns) {
  const ScratchFolder scratch;
  copy_samples(scratch / "dataset", {"birds", "bugs", "fruit", "music"}, 40);
  const std::vector<std::string> extract{"extract",        (scratch / "dataset").string(),
                                         "--cache",        (scratch / "cache").string(),
                                         "--engine-batch", "2"};
  std::size_t done = 0;
  for (const int milliseconds : {1500, 2500}) {
    const Interruption run = interrupted(extract, milliseconds);
    if (run.result.exit_code == 0) GTEST_SKIP() << "this machine was done before the signal came";
    ASSERT_EQ(run.result.exit_code, 130) << run.result.err;
    // "interrupted: 12 of 160 images are done": far from the 60 that are decoded ahead.
    const std::size_t at = run.result.err.find("interrupted: ");
    ASSERT_NE(at, std::string::npos) << run.result.err;
    const std::string rest = run.result.err.substr(at + 13);
    if (rest.find(" of 160 images are done") == std::string::npos) continue;  // before the first batch
    const auto images = static_cast<std::size_t>(std::stoul(rest));
    EXPECT_GE(images, done);
    done = images;
    EXPECT_LT(run.waited.count(), longest_wait().count());
  }
}

}  // namespace
}  // namespace headstart::test
