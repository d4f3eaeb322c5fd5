// tests/pipeline/commands/together_command_test.cpp: mpirun -n N headstart train, as a user would start it:
// the bytes of one process, told once; and whatever goes wrong ends all of them.
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <vector>

#include "tests/pipeline/commands/mpi_launch.hpp"
#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/nightly.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;

constexpr int kDataError = 3;

ProcessResult together(int processes, const std::vector<std::string>& arguments,
                       const ProcessOptions& options = {}) {
  return launch({{processes, arguments}}, options);
}

class Together : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = no_mpirun(); !reason.empty()) GTEST_SKIP() << reason;
  }

  /// Two slabs of columns, so that of four processes some have none.
  static std::vector<std::string> arguments(const fs::path& out, const std::vector<std::string>& more = {}) {
    std::vector<std::string> all = shared_arguments(
        out, {"--hidden", "80,8", "--solver", "primal", "--batch", "4", "--dropout", "0.2", "--l2", "0.001"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  const ScratchFolder scratch_;
};

TEST_F(Together, ProcessesGiveTheBytesOfOneAndSayThemOnce) {
  ASSERT_EQ(headstart_process(arguments(scratch_ / "alone")).exit_code, 0);
  const std::string cache = (scratch_ / "cache").string();  // empty: two processes share out the extraction
  for (const int processes : {2, 4}) {
    const fs::path out = scratch_ / ("of" + std::to_string(processes));
    const ProcessResult result = together(processes, arguments(out, {"--cache", cache}));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    for (const char* text : {"macro F1", "validation", "model: ", "report: "})
      EXPECT_EQ(occurrences(result.out, text), 1) << text << "\n" << result.out;
    for (const char* text : {"stage one: ", "stage two: ", "epoch 6/6: "})
      EXPECT_EQ(occurrences(result.err, text), 1) << text << "\n" << result.err;
    const nlohmann::json images = metrics_of(out)["images"];
    EXPECT_EQ(images["cache_misses"], processes == 2 ? 24 : 0);
    EXPECT_EQ(images["cache_hits"], processes == 2 ? 0 : 24);
    expect_same_bytes(out, scratch_ / "alone");
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch_.path()), {}), 4) << "nothing else is left";
}

// The trainings of a search are shared out; pooled rows and flattened ones.
TEST_F(Together, ASearchGivesTheScoresOfOneProcess) {
  const auto sweep = [&](const std::string& out) {
    return std::vector<std::string>{"sweep",      shared_run().dataset.string(),
                                    "--cache",    shared_run().cache.string(),
                                    "-o",         (scratch_ / out).string(),
                                    "--poolings", "avg,flatten",
                                    "--hidden",   "0,8",
                                    "--rates",    "0.3,1",
                                    "--l2",       "1e-4",
                                    "--folds",    "3",
                                    "--rounds",   "2,5"};
  };
  const ProcessResult alone = headstart_process(sweep("alone"));
  ASSERT_EQ(alone.exit_code, 0) << alone.err;
  const ProcessResult result = together(3, sweep("of3"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(occurrences(result.out, "baseline: ridge"), 1) << result.out;
  EXPECT_EQ(occurrences(result.out, "configurations in"), 1) << result.out;
  EXPECT_EQ(occurrences(result.err, "search: "), 1) << result.err;
  EXPECT_EQ(read_text((scratch_ / "of3" / "sweep.csv").string()),
            read_text((scratch_ / "alone" / "sweep.csv").string()));
}

TEST_F(Together, AWindowGivesTheBytesOfOneProcess) {
  HEADSTART_ONLY_NIGHTLY();
  const std::vector<std::string> window{"--window", "8"};
  ASSERT_EQ(headstart_process(arguments(scratch_ / "alone", window)).exit_code, 0);
  const ProcessResult result = together(2, arguments(scratch_ / "of2", window));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(occurrences(result.err, "read from the cache 8 rows at a time"), 1) << result.err;
  expect_same_bytes(scratch_ / "of2", scratch_ / "alone");
}

TEST_F(Together, AnErrorAboutTheDataEndsAllAndIsToldOnce) {
  fs::create_directory(scratch_ / "empty");
  copy_samples(scratch_ / "single", {"birds"}, 2);
  for (const char* dataset : {"empty", "single"}) {
    std::vector<std::string> command = arguments(scratch_ / "out");
    command[1] = (scratch_ / dataset).string();
    const ProcessResult result = together(3, command);
    EXPECT_EQ(result.exit_code, kDataError) << result.err;
    EXPECT_EQ(occurrences(result.err, "headstart: error: "), 1) << result.err;
    EXPECT_NE(result.err.find((scratch_ / dataset).string()), std::string::npos) << result.err;
    EXPECT_FALSE(fs::exists(scratch_ / "out"));
  }
}

TEST_F(Together, AnErrorOfOneProcessAloneEndsAllAndIsTold) {
  HEADSTART_ONLY_NIGHTLY();
  fs::create_directory(scratch_ / "empty");
  std::vector<std::string> wrong = arguments(scratch_ / "out");
  wrong[1] = (scratch_ / "empty").string();
  const ProcessResult result = launch({{2, arguments(scratch_ / "out")}, {1, wrong}});
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_EQ(occurrences(result.err, "headstart: error: "), 1) << result.err;
  EXPECT_NE(result.err.find((scratch_ / "empty").string()), std::string::npos) << result.err;
  EXPECT_FALSE(fs::exists(scratch_ / "out"));
}

TEST_F(Together, OneThatIsKilledEndsAllAndAnotherNumberOfThemGoesOn) {
  HEADSTART_ONLY_NIGHTLY();
  const std::vector<std::string> long_run{"--epochs", "40", "--early-stopping", "35"};
  ASSERT_EQ(headstart_process(arguments(scratch_ / "whole", long_run)).exit_code, 0);
  fs::copy(shared_run().out, scratch_ / "killed", fs::copy_options::recursive);
  const auto before = read_folder(scratch_ / "killed");

  std::vector<std::string> command = arguments(scratch_ / "killed", long_run);
  command.insert(command.end(), {"--resume", "--checkpoint", "0"});
  for (const std::size_t processes : {3U, 2U}) {
    ProcessOptions murder;
    bool found = false;
    murder.while_running = [&](int pid) {
      const std::vector<int> running = wait_for_headstarts_of(pid, processes);
      found = running.size() == processes;
      wait_until_written(scratch_ / "killed.checkpoint");
      if (found) kill(processes == 3 ? running.front() : running.back(), SIGKILL);
    };
    const ProcessResult killed = together(static_cast<int>(processes), command, murder);
    ASSERT_TRUE(found) << killed.err;
    ASSERT_EQ(killed.exit_code, 128 + SIGKILL) << killed.err;
    EXPECT_EQ(occurrences(killed.err, "resuming after epoch"), processes == 3 ? 0 : 1) << killed.err;
    EXPECT_TRUE(read_folder(scratch_ / "killed") == before);
    ASSERT_TRUE(fs::exists(scratch_ / "killed.checkpoint"));
  }

  command.insert(command.end(), {"--checkpoint", "1000"});
  const ProcessResult resumed = together(4, command);
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(occurrences(resumed.err, "resuming after epoch"), 1) << resumed.err;
  expect_same_bytes(scratch_ / "killed", scratch_ / "whole");
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch_.path()), {}), 2) << "nothing else is left";
}

}  // namespace
}  // namespace headstart::test
