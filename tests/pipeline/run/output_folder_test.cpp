// tests/pipeline/run/output_folder_test.cpp
#include "pipeline/run/output_folder.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "data/error.hpp"
#include "pipeline/process/write_file.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

void fill(const OutputFolder& folder, const std::string& content) {
  write_file(folder.staging() / "metrics.json", content);
  write_file(folder.staging() / "config.toml", content);
}

std::ptrdiff_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator{});
}

Error::Kind kind_of_refusal(const fs::path& out) {
  try {
    const OutputFolder folder(out);
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(out.filename().string()), std::string::npos) << error.what();
    return error.kind();
  }
  ADD_FAILURE() << out << " was accepted";
  return Error::Kind::kFailed;
}

TEST(OutputFolder, AppearsWholeOnPublish) {
  const test::ScratchFolder scratch;
  OutputFolder folder(scratch / "deep" / "out");
  fill(folder, "1");
  EXPECT_FALSE(fs::exists(scratch / "deep" / "out"));
  folder.publish();
  EXPECT_EQ(test::read_text(scratch / "deep" / "out" / "metrics.json"), "1");
  EXPECT_EQ(entries(scratch / "deep"), 1);
}

TEST(OutputFolder, ReplacesAnEarlierRunAndLeavesNothingBehind) {
  const test::ScratchFolder scratch;
  for (const char* content : {"1", "2", "3"}) {
    OutputFolder folder(scratch / "out");
    fill(folder, content);
    folder.publish();
  }
  EXPECT_EQ(test::read_text(scratch / "out" / "config.toml"), "3");
  EXPECT_EQ(entries(scratch.path()), 1);
}

TEST(OutputFolder, AnAbandonedRunLeavesTheEarlierOneAsItWas) {
  const test::ScratchFolder scratch;
  {
    OutputFolder folder(scratch / "out");
    fill(folder, "kept");
    folder.publish();
  }
  {
    const OutputFolder folder(scratch / "out");
    fill(folder, "never seen");
  }
  EXPECT_EQ(test::read_text(scratch / "out" / "metrics.json"), "kept");
  EXPECT_EQ(entries(scratch.path()), 1);
}

TEST(OutputFolder, ClearsAwayWhatAKilledRunLeftButNotALiveOne) {
  const test::ScratchFolder scratch;
  fs::create_directory(scratch / ".out.abcdef");  // as mkdtemp names them; nobody holds its lock
  std::ofstream(scratch / ".out.abcdef" / "model.h5") << "half";
  fs::create_directory(scratch / ".out.notes");
  const OutputFolder live(scratch / "out");
  EXPECT_FALSE(fs::exists(scratch / ".out.abcdef"));
  EXPECT_TRUE(fs::exists(scratch / ".out.notes"));
  const OutputFolder other(scratch / "out");
  EXPECT_TRUE(fs::exists(live.staging()));
}

TEST(OutputFolder, RunsThatStartAtTheSameMomentKeepTheirs) {
  const test::ScratchFolder scratch;
  std::vector<pid_t> runs;
  for (int i = 0; i < 4; ++i) {
    const pid_t pid = fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      bool kept = true;
      for (int start = 0; start < 250; ++start) {
        const OutputFolder folder(scratch / "out");
        kept = kept && fs::exists(folder.staging());
      }
      _exit(kept ? 0 : 1);
    }
    runs.push_back(pid);
  }
  for (const pid_t pid : runs) {
    int status = 0;
    waitpid(pid, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "a run's folder was removed by another";
  }
  EXPECT_EQ(entries(scratch.path()), 0);
}

TEST(OutputFolder, NeverReplacesAFolderItDidNotMake) {
  const test::ScratchFolder scratch;
  fs::create_directory(scratch / "thesis");
  std::ofstream(scratch / "thesis" / "chapter1.tex") << "x";
  EXPECT_EQ(kind_of_refusal(scratch / "thesis"), Error::Kind::kUsage);
  EXPECT_TRUE(fs::exists(scratch / "thesis" / "chapter1.tex"));

  std::ofstream(scratch / "file") << "x";
  EXPECT_EQ(kind_of_refusal(scratch / "file"), Error::Kind::kUsage);
}

TEST(OutputFolder, NeverReplacesARunThatSomeoneAddedAFileTo) {
  const test::ScratchFolder scratch;
  {
    OutputFolder folder(scratch / "out");
    fill(folder, "1");
    folder.publish();
  }
  std::ofstream(scratch / "out" / "notes.txt") << "mine";
  EXPECT_EQ(kind_of_refusal(scratch / "out"), Error::Kind::kUsage);
}

TEST(OutputFolder, RefusesTheWorkingFolderAndTheRoot) {
  for (const char* out : {".", "/", "..", "./", ""}) {
    EXPECT_THROW(OutputFolder{out}, Error) << out;
  }
}

TEST(OutputFolder, TakesAnEmptyFolderAndATrailingSlash) {
  const test::ScratchFolder scratch;
  fs::create_directory(scratch / "out");
  OutputFolder folder((scratch / "out").string() + "/");
  fill(folder, "1");
  folder.publish();
  EXPECT_EQ(test::read_text(scratch / "out" / "metrics.json"), "1");
}

TEST(WriteFile, SaysWhichFileCouldNotBeWritten) {
  try {
    write_file("/dev/full", std::string(100'000, 'x'));
    FAIL() << "writing to a full device succeeded";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/dev/full"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("No space left"), std::string::npos);
  }
}

TEST(OutputFolder, ALinkToAFolderIsFollowedAndStays) {
  const test::ScratchFolder scratch;
  fs::create_directories(scratch / "disk" / "real");
  fs::create_symlink("disk/real", scratch / "out");
  OutputFolder folder(scratch / "out");
  EXPECT_EQ(folder.staging().parent_path(), fs::canonical(scratch / "disk"));
  fill(folder, "1");
  folder.publish();
  EXPECT_TRUE(fs::is_symlink(scratch / "out"));
  EXPECT_TRUE(fs::exists(scratch / "disk" / "real" / "metrics.json"));
}

}  // namespace
}  // namespace headstart
