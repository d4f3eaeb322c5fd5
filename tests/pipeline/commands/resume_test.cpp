// tests/pipeline/commands/resume_test.cpp: train --resume, as the binary does it: after kill -9 and Ctrl-C
// the same bytes as a run that nothing disturbed.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> run_arguments(const fs::path& out, const std::vector<std::string>& more) {
  std::vector<std::string> all = shared_arguments(
      out, {"--epochs", "150", "--dropout", "0.2", "--early-stopping", "140", "--checkpoint", "0"});
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

class ResumeCommand : public testing::TestWithParam<const char*> {};

TEST_P(ResumeCommand, KilledAtAnyMomentAndResumedGivesTheSameBytes) {
  const ScratchFolder scratch;
  ASSERT_EQ(headstart_process(run_arguments(scratch / "whole", {"--solver", GetParam()})).exit_code, 0);
  EXPECT_FALSE(fs::exists(scratch / "whole.checkpoint")) << "it is removed when OUT is there";

  const auto killed = run_arguments(scratch / "killed", {"--solver", GetParam(), "--resume"});
  std::mt19937 random(std::random_device{}());
  int kills = 0;
  int resumed = 0;
  for (int i = 0; i < 6; ++i) {
    const auto moment = static_cast<useconds_t>(random() % 60'000U);
    const ProcessResult result =
        headstart_process(killed, after_a_checkpoint(scratch / "killed.checkpoint", SIGKILL, moment));
    resumed += result.err.find("resuming after epoch") != std::string::npos ? 1 : 0;
    if (result.exit_code == 0) break;  // a fast machine
    ASSERT_EQ(result.exit_code, 128 + SIGKILL) << result.err;
    ++kills;
    EXPECT_FALSE(fs::exists(scratch / "killed"));
  }
  EXPECT_GE(kills, 1);
  if (!fs::exists(scratch / "killed")) {
    const ProcessResult last = headstart_process(killed);
    ASSERT_EQ(last.exit_code, 0) << last.err;
    resumed += last.err.find("resuming after epoch") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(resumed, kills);
  expect_same_bytes(scratch / "killed", scratch / "whole");
  EXPECT_FALSE(fs::exists(scratch / "killed.checkpoint"));
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch.path()), {}), 2) << "nothing else is left";
}

INSTANTIATE_TEST_SUITE_P(Solvers, ResumeCommand, testing::Values("primal", "gram"));

TEST(ResumeCommandTest, CtrlCWritesACheckpointAndSaysHowToGoOn) {
  const ScratchFolder scratch;
  std::vector<std::string> command = run_arguments(scratch / "out", {"--solver", "primal"});
  const ProcessResult first =
      headstart_process(command, after_a_checkpoint(scratch / "out.checkpoint", SIGINT, 1000));
  ASSERT_EQ(first.exit_code, 130) << first.err;
  EXPECT_NE(first.err.find("interrupted after epoch "), std::string::npos) << first.err;
  EXPECT_NE(first.err.find("--resume"), std::string::npos) << first.err;
  EXPECT_TRUE(fs::exists(scratch / "out.checkpoint"));

  std::vector<std::string> other = command;
  other.insert(other.end(), {"--resume", "--seed", "5"});
  const ProcessResult foreign = headstart_process(other);
  EXPECT_EQ(foreign.exit_code, 2);
  EXPECT_NE(foreign.err.find("is of another run: seed is 0 there, 5 here"), std::string::npos) << foreign.err;
  other.back() = "0";
  other.insert(other.end(), {"--solver", "gram"});
  EXPECT_NE(headstart_process(other).err.find("solver is primal there, gram here"), std::string::npos);

  command.insert(command.end(), {"--resume", "--threads", "1", "--checkpoint", "1000"});
  const ProcessResult second = headstart_process(command);
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_NE(second.err.find("resuming after epoch"), std::string::npos) << second.err;
  EXPECT_EQ(read_csv(scratch / "out" / "history.csv").size(), 151U);
}

TEST(ResumeCommandTest, ADamagedCheckpointIsReportedAndTrainingStartsAnew) {
  const ScratchFolder scratch;
  const std::vector<std::string> command = run_arguments(scratch / "out", {"--resume", "--epochs", "6"});
  const ProcessResult none = headstart_process(command);
  ASSERT_EQ(none.exit_code, 0) << none.err;
  EXPECT_NE(none.err.find("no checkpoint at"), std::string::npos) << none.err;
  std::ofstream(scratch / "again.checkpoint") << "headstart checkpoint 1\n\nthis is all there is";
  const ProcessResult damaged =
      headstart_process(run_arguments(scratch / "again", {"--resume", "--epochs", "6"}));
  ASSERT_EQ(damaged.exit_code, 0) << damaged.err;
  EXPECT_NE(damaged.err.find("can't be used"), std::string::npos) << damaged.err;
  expect_same_bytes(scratch / "again", scratch / "out");

  std::ofstream(scratch / "new.checkpoint") << "whatever";
  const ProcessResult anew = headstart_process(run_arguments(scratch / "new", {"--epochs", "6"}));
  ASSERT_EQ(anew.exit_code, 0) << anew.err;
  EXPECT_NE(anew.err.find("--resume goes on with"), std::string::npos) << anew.err;
  expect_same_bytes(scratch / "new", scratch / "out");
}

}  // namespace
}  // namespace headstart::test
