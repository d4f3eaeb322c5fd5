// tests/pipeline/commands/faults_test.cpp: what survives when a run is interrupted, killed, or has nowhere to
// write.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> extract_arguments(const ScratchFolder& scratch) {
  return {"extract", (scratch / "dataset").string(), "--cache", (scratch / "cache").string()};
}

TEST(Faults, CtrlCPublishesWhatIsDoneAndTheNextRunGoesOn) {
  const ScratchFolder scratch;
  copy_samples(scratch / "dataset", {"birds", "bugs", "fruit", "music"}, 40);
  ProcessOptions interrupt;
  interrupt.while_running = [](int pid) {
    wait_for_processor_time(pid, 4.0);  // some batches, and not all, however slow the machine is
    kill(pid, SIGINT);
  };
  const ProcessResult first = headstart_process(extract_arguments(scratch), interrupt);
  if (first.exit_code == 0) GTEST_SKIP() << "this machine was done before the signal came";
  ASSERT_EQ(first.exit_code, 130) << first.err;
  EXPECT_NE(first.err.find("interrupted: "), std::string::npos) << first.err;
  const ProcessResult second = headstart_process(extract_arguments(scratch));
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(second.out.find(": 0 from the cache"), std::string::npos) << second.out;
}

TEST(Faults, AKilledRunLeavesTheEarlierOutputAndNothingWrong) {
  const TrainingRun& run = shared_run();
  ASSERT_EQ(run.result.exit_code, 0) << run.result.err;
  const ScratchFolder scratch;
  fs::copy(run.out, scratch / "out", fs::copy_options::recursive);
  const auto before = read_folder(scratch / "out");
  std::vector<std::string> arguments = run.arguments;
  arguments[3] = (scratch / "out").string();
  arguments.insert(arguments.end(), {"--seed", "3", "--epochs", "100000"});
  for (const useconds_t microseconds : {100'000U, 600'000U, 1'200'000U}) {
    ProcessOptions murder;
    murder.while_running = [microseconds](int pid) {
      usleep(microseconds);
      kill(pid, SIGKILL);
    };
    EXPECT_EQ(headstart_process(arguments, murder).exit_code, 128 + SIGKILL);
    EXPECT_TRUE(read_folder(scratch / "out") == before) << microseconds;
  }
}

TEST(Faults, RowsThatAreLostWhileTheyTrainAreToldAsSuch) {
  const TrainingRun& shared = shared_run();
  for (const std::string command : {"train", "finetune"}) {
    const ScratchFolder scratch;
    fs::copy(shared.dataset, scratch / "dataset", fs::copy_options::recursive);
    const fs::path cache = scratch / "cache";
    std::vector<std::string> arguments{command,        (scratch / "dataset").string(),
                                       "-o",           (scratch / "out").string(),
                                       "--cache",      cache.string(),
                                       "--window",     "8",
                                       "--batch",      "8",
                                       "--epochs",     "100000",
                                       "--checkpoint", "0"};
    if (command == "train") {
      arguments.insert(arguments.end(), {"--hidden", "8", "--learning-rate", "1e-6"});
    } else {
      arguments.insert(arguments.end(), {"--from", (shared.out / "model.h5").string()});
    }
    ProcessOptions lose;
    lose.while_running = [&](int) {
      wait_until_written(scratch / "out.checkpoint");
      fs::remove_all(scratch / "dataset");
      for (const auto& entry : fs::recursive_directory_iterator(cache))
        if (entry.path().extension() == ".h5") fs::remove(entry.path());
    };
    const ProcessResult result = headstart_process(arguments, lose);
    EXPECT_EQ(result.exit_code, 1) << result.err;
    EXPECT_NE(result.err.find("error: a segment of the cache can no longer be used"), std::string::npos)
        << result.err;
    EXPECT_EQ(result.err.find("diverged"), std::string::npos) << result.err;
  }
}

TEST(Faults, AnAbsurdResultIsWarnedOf) {
  const ScratchFolder scratch;
  const ProcessResult result =
      headstart_process(shared_arguments(scratch / "out", {"--learning-rate", "0.1", "--epochs", "2"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("warning: the head is worse than a guess"), std::string::npos) << result.err;
  EXPECT_EQ(shared_run().result.err.find("worse than a guess"), std::string::npos) << shared_run().result.err;
}

TEST(Faults, ACacheThatCannotBeWrittenCostsOnlyTheCaching) {
  const TrainingRun& run = shared_run();
  const ScratchFolder scratch;
  std::vector<std::string> arguments = run.arguments;
  arguments[3] = (scratch / "out").string();
  arguments[5] = "/proc/headstart";  // no folder can be made here, not even by root
  const ProcessResult result = headstart_process(arguments);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("warning"), std::string::npos);
  EXPECT_TRUE(read_text((scratch / "out" / "model.h5").string()) ==
              read_text((run.out / "model.h5").string()));
}

TEST(Faults, ADiskThatFillsUpLeavesNoHalfWrittenModel) {
  const TrainingRun& run = shared_run();
  const ScratchFolder scratch;
  std::vector<std::string> arguments = run.arguments;
  arguments[3] = (scratch / "out").string();
  ProcessOptions small_files;
  small_files.before_exec = [] {
    const rlimit limit{1 << 20, 1 << 20};
    setrlimit(RLIMIT_FSIZE, &limit);
  };
  const ProcessResult result = headstart_process(arguments, small_files);
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_FALSE(fs::exists(scratch / "out"));
  EXPECT_TRUE(fs::is_empty(scratch.path())) << "the unfinished folder is cleared away";
}

TEST(Faults, ADiskThatFillsUpLeavesNoHalfExportedFeatures) {
  const TrainingRun& run = shared_run();
  const ScratchFolder scratch;
  const fs::path file = scratch / "features.h5";
  ProcessOptions small_files;
  small_files.before_exec = [] {
    const rlimit limit{1 << 20, 1 << 20};
    setrlimit(RLIMIT_FSIZE, &limit);
  };
  const ProcessResult result = headstart_process({"cache", "export", run.dataset.string(), "-o",
                                                  file.string(), "--cache", run.cache.string(), "--quiet"},
                                                 small_files);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, "headstart: error: cannot write: " + file.string() +
                            ": File too large: make room or name another place\n");
  EXPECT_TRUE(fs::is_empty(scratch.path())) << "the unfinished file is cleared away";
}

}  // namespace
}  // namespace headstart::test
