// tests/pipeline/commands/shard_command_test.cpp: extract on machines that share a dataset and a cache
// without talking to each other: shards by option and by environment, shards that die, ranks of one mpirun.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "features/float16.hpp"
#include "tests/pipeline/commands/cached_rows.hpp"
#include "tests/pipeline/commands/mpi_launch.hpp"
#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/nightly.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;

constexpr int kUsageError = 2;
constexpr std::size_t kImages = 160;
constexpr std::size_t kLargestBlock = kImages / 8;  // of four ranks: half an even share

/// 160 different images, and what one undisturbed run makes of them.
class Shards : public testing::Test {
 protected:
  struct Undisturbed {
    fs::path dataset;
    fs::path cache;
    std::map<Sha256, CachedRow> rows;
    ProcessResult result;
  };

  static const Undisturbed& undisturbed() {
    static const ScratchFolder scratch;
    static const Undisturbed made = [] {
      Undisturbed run;
      run.dataset = scratch / "dataset";
      copy_samples(run.dataset, {"birds", "bugs", "fruit", "music"}, 40);
      run.cache = scratch / "cache";
      run.result = headstart_process(extract(run.dataset, run.cache));
      run.rows = cached_rows(run.cache);
      return run;
    }();
    return made;
  }

  /// One thread: whether threads may change bits is another test's business.
  static std::vector<std::string> extract(const fs::path& dataset, const fs::path& cache,
                                          const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"extract", dataset.string(), "--cache", cache.string(), "--input-size",
                                       "64",      "--threads",      "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  void SetUp() override {
    ASSERT_EQ(undisturbed().result.exit_code, 0) << undisturbed().result.err;
    ASSERT_EQ(undisturbed().rows.size(), kImages);
  }

  [[nodiscard]] std::vector<std::string> extract_all(const std::vector<std::string>& more = {}) const {
    return extract(undisturbed().dataset, cache(), more);
  }
  [[nodiscard]] fs::path cache() const { return scratch_ / "cache"; }

  const ScratchFolder scratch_;
};

/// "N from the cache, N computed".
std::string counts(std::size_t cached, std::size_t computed) {
  return std::to_string(cached) + " from the cache, " + std::to_string(computed) + " computed, 0 rejected";
}

/// Waits until `condition` holds, for 40 seconds at most. @return whether it does
bool wait_until(const std::function<bool()>& condition) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(40);
  while (std::chrono::steady_clock::now() < give_up) {
    if (condition()) return true;
    usleep(5'000);
  }
  return false;
}

TEST_F(Shards, TwoMakeTheWholeWithoutOverlap) {
  HEADSTART_ONLY_NIGHTLY();
  std::set<std::string> cache_lines;
  std::size_t together = 0;
  for (const char* shard : {"0/2", "1/2"}) {
    const ProcessResult result = headstart_process(extract_all({"--shard", shard}));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const std::size_t rows = cached_rows(cache()).size();
    EXPECT_TRUE(result.out.starts_with(std::string("shard ") + shard + ": " +
                                       std::to_string(rows - together) + " images"))
        << result.out;
    EXPECT_NE(result.out.find(counts(0, rows - together)), std::string::npos) << result.out;
    EXPECT_GT(rows - together, kImages / 4);
    EXPECT_EQ(result.err.find("warning"), std::string::npos) << "it was asked for: " << result.err;
    together = rows;
  }
  EXPECT_TRUE(cached_rows(cache()) == undisturbed().rows);
}

/// Rows as float16 keeps them.
std::map<Sha256, CachedRow> rounded(const std::map<Sha256, CachedRow>& rows) {
  std::map<Sha256, CachedRow> result;
  for (const auto& [key, row] : rows) {
    auto& [columns, values] = result[key];
    for (std::size_t i = 0; i < row.first.size(); ++i) {
      const float value = rounded_to_float16(row.second[i]);
      if (value == 0.0F) continue;
      columns.push_back(row.first[i]);
      values.push_back(value);
    }
  }
  return result;
}

TEST_F(Shards, RoundToFloat16WhatOneRunComputes) {
  HEADSTART_ONLY_NIGHTLY();
  for (const char* shard : {"0/2", "1/2"})
    ASSERT_EQ(headstart_process(extract_all({"--shard", shard, "--storage", "float16"})).exit_code, 0);
  EXPECT_TRUE(cached_rows(cache()) == rounded(undisturbed().rows));
  EXPECT_FALSE(cached_rows(cache()) == undisturbed().rows);
}

TEST_F(Shards, TheEnvironmentChoosesAndItIsSaid) {
  ProcessOptions task;
  task.environment = {{"SLURM_PROCID", "2"}, {"SLURM_NTASKS", "8"}};
  const std::vector<std::string> look{"--dry-run", "--quiet"};
  const ProcessResult chosen = headstart_process(extract_all(look), task);
  ASSERT_EQ(chosen.exit_code, 0) << chosen.err;
  EXPECT_NE(chosen.err.find("shard 2/8 of the dataset only, as SLURM_PROCID=2 of SLURM_NTASKS=8"),
            std::string::npos)
      << chosen.err;
  EXPECT_EQ(chosen.out, headstart_process(extract_all({"--dry-run", "--shard", "2/8"})).out);
  EXPECT_EQ(chosen.out.find(std::to_string(kImages) + " images"), std::string::npos) << chosen.out;

  for (const char* none : {"none", "0/1"}) {
    const ProcessResult whole = headstart_process(extract_all({"--dry-run", "--shard", none}), task);
    EXPECT_NE(whole.out.find(std::to_string(kImages) + " images"), std::string::npos) << whole.out;
    EXPECT_EQ(whole.err.find("shard"), std::string::npos) << whole.err;
  }
  task.environment = {{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "1"}};
  const std::string interactive = headstart_process(extract_all({"--dry-run"}), task).err;
  EXPECT_EQ(interactive.find("shard"), std::string::npos) << interactive;
}

TEST_F(Shards, WrongOnesAreWrongUsage) {
  for (const char* shard : {"2/2", "1", "0/0", "all"}) {
    const ProcessResult result = headstart_process(extract_all({"--shard", shard}));
    EXPECT_EQ(result.exit_code, kUsageError) << shard;
    EXPECT_NE(result.err.find("K from 0 to N-1"), std::string::npos) << result.err;
  }
  ProcessOptions indexed;
  indexed.environment = {{"JOB_COMPLETION_INDEX", "1"}};
  const ProcessResult result = headstart_process(extract_all(), indexed);
  EXPECT_EQ(result.exit_code, kUsageError);
  EXPECT_NE(result.err.find("JOB_COMPLETIONS"), std::string::npos) << result.err;
  EXPECT_FALSE(fs::exists(cache()));
}

TEST_F(Shards, OneWithoutAnImageIsDone) {
  copy_samples(scratch_ / "few", {"birds"}, 2);
  for (const char* shard : {"0/64", "63/64"}) {
    const ProcessResult result = headstart_process(extract(scratch_ / "few", cache(), {"--shard", shard}));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_NE(result.out.find(": 0 images"), std::string::npos) << result.out;
  }
}

TEST_F(Shards, OneThatDiesIsRunAgain) {
  ASSERT_EQ(headstart_process(extract_all({"--shard", "0/2"})).exit_code, 0);
  const std::size_t others = cached_rows(cache()).size();
  ProcessOptions murder;
  murder.while_running = [](int pid) {
    usleep(700'000);
    kill(pid, SIGKILL);
  };
  const ProcessResult killed = headstart_process(extract_all({"--shard", "1/2"}), murder);
  ASSERT_EQ(killed.exit_code, 128 + SIGKILL) << "done within 0.7 s?";
  const std::size_t left = cached_rows(cache()).size();
  EXPECT_GE(left, others);
  const ProcessResult again = headstart_process(extract_all({"--shard", "1/2"}));
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_NE(again.out.find(counts(left - others, kImages - left)), std::string::npos) << again.out;
  EXPECT_TRUE(cached_rows(cache()) == undisturbed().rows);
  const ProcessResult whole = headstart_process(extract_all());
  EXPECT_NE(whole.out.find(counts(kImages, 0)), std::string::npos) << whole.out;
}

class Ranks : public Shards {
 protected:
  void SetUp() override {
    if (const std::string reason = no_mpirun(); !reason.empty()) GTEST_SKIP() << reason;
    Shards::SetUp();
  }

  [[nodiscard]] ProcessResult four(const std::vector<std::string>& arguments,
                                   const ProcessOptions& options = {},
                                   const std::vector<std::string>& more = {}) const {
    return launch({{4, arguments}}, options, more);
  }

  /// Does `disturb` to the ranks' processes once the first of them has published a block.
  [[nodiscard]] ProcessOptions after_a_block(
      const std::function<void(const std::vector<int>& ranks)>& disturb) const {
    ProcessOptions options;
    options.while_running = [this, disturb](int pid) {
      const std::vector<int> ranks = wait_for_headstarts_of(pid, 4);
      ASSERT_EQ(ranks.size(), 4U);
      ASSERT_TRUE(wait_until([this] { return !cached_segments(cache()).empty(); }));
      disturb(ranks);
    };
    return options;
  }

  /// A run afterwards computes what is missing and nothing else.
  void expect_to_finish(std::size_t missing) const {
    const ProcessResult again = headstart_process(extract_all());
    ASSERT_EQ(again.exit_code, 0) << again.err;
    EXPECT_NE(again.out.find(counts(kImages - missing, missing)), std::string::npos) << again.out;
    EXPECT_TRUE(cached_rows(cache()) == undisturbed().rows);
  }
};

// The slow one keeps its block, the others take all the rest; rank 0 sums up what all did.
TEST_F(Ranks, ShareTheWorkAtTheirOwnPace) {
  fs::copy(undisturbed().dataset, scratch_ / "dataset", fs::copy_options::recursive);
  std::ofstream(scratch_ / "dataset" / "music" / "broken.jpg") << "no image";
  bool others_did_the_rest = false;
  const ProcessResult result =
      four(extract(scratch_ / "dataset", cache()), after_a_block([&](const std::vector<int>& ranks) {
             kill(ranks.back(), SIGSTOP);
             others_did_the_rest =
                 wait_until([this] { return cached_rows(cache()).size() >= kImages - kLargestBlock; });
             kill(ranks.back(), SIGCONT);
           }));
  EXPECT_TRUE(others_did_the_rest);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(occurrences(result.out, "161 images"), 1) << result.out;
  EXPECT_NE(result.out.find("by 4 processes: 0 from the cache, 160 computed, 1 rejected"), std::string::npos)
      << result.out;
  EXPECT_EQ(occurrences(result.out, "cache: "), 1) << result.out;
  EXPECT_EQ(occurrences(result.err, "rejected music/broken.jpg: "), 1) << result.err;
  EXPECT_EQ(occurrences(result.err, "engine: "), 1) << result.err;
  EXPECT_EQ(result.err.find("shard"), std::string::npos) << "they share the whole: " << result.err;
  EXPECT_TRUE(cached_rows(cache()) == undisturbed().rows);
}

// Over TCP, as between machines without InfiniBand, rank 0 has to take part in what the others do to its
// memory: if it did so between its own blocks only, it would have the most of them.
TEST_F(Ranks, ShareTheWorkOverTcp) {
  HEADSTART_ONLY_NIGHTLY();
  ProcessOptions tcp;
  tcp.environment = {{"OMPI_MCA_pml", "ob1"}, {"OMPI_MCA_btl", "tcp,self"}, {"OMPI_MCA_osc", "pt2pt"}};
  const ProcessResult result = four(extract_all(), tcp);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("by 4 processes: " + counts(0, kImages)), std::string::npos) << result.out;
  const std::string of_rank_0 = "rank 0: ";
  const std::size_t at = result.err.find(of_rank_0);
  ASSERT_NE(at, std::string::npos) << result.err;
  EXPECT_LT(std::stoul(result.err.substr(at + of_rank_0.size())), kImages * 3 / 4) << result.err;
  EXPECT_TRUE(cached_rows(cache()) == undisturbed().rows);
}

TEST_F(Ranks, AShardMayBeShared) {
  HEADSTART_ONLY_NIGHTLY();
  std::size_t images = 0;
  for (const char* shard : {"0/2", "1/2"}) {
    const ProcessResult result =
        four(extract(undisturbed().dataset, undisturbed().cache, {"--shard", shard}));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const std::string prefix = std::string("shard ") + shard + ": ";
    ASSERT_TRUE(result.out.starts_with(prefix)) << result.out;
    images += std::stoul(result.out.substr(prefix.size()));
  }
  EXPECT_EQ(images, kImages);
}

// What mpirun does by default: the others are told to end, publish what they have if they can, and end.
TEST_F(Ranks, OneThatIsKilledEndsAllAndTheNextRunFinishes) {
  HEADSTART_ONLY_NIGHTLY();
  std::size_t done = kImages;
  // On a busy machine the others may be through before they are told.
  for (int attempt = 0; attempt < 5 && done == kImages; ++attempt) {
    fs::remove_all(cache());
    const ProcessResult killed = four(
        extract_all(), after_a_block([](const std::vector<int>& ranks) { kill(ranks.back(), SIGKILL); }));
    ASSERT_NE(killed.exit_code, 0) << killed.err;
    done = cached_rows(cache()).size();
  }
  ASSERT_GT(done, 0U);
  ASSERT_LT(done, kImages);
  expect_to_finish(kImages - done);
}

TEST_F(Ranks, OneThatIsKilledLosesOnlyItsBlockWhereTheOthersMayGoOn) {
  if (!others_go_on_without_a_dead_rank()) GTEST_SKIP() << "this Open MPI ends the others";
  std::size_t missing = 0;
  // On a busy machine it may die between two blocks, or before its first: then nothing is lost.
  for (int attempt = 0; attempt < 3 && missing == 0 && !HasFailure(); ++attempt) {
    fs::remove_all(cache());
    const ProcessResult killed =
        four(extract_all(), after_a_block([](const std::vector<int>& ranks) { kill(ranks.back(), SIGKILL); }),
             {"--enable-recovery"});
    EXPECT_EQ(occurrences(killed.err, "headstart: error: "), 1) << killed.err;
    EXPECT_NE(killed.err.find("rank 3: "), std::string::npos) << killed.err;
    missing = kImages - cached_rows(cache()).size();
  }
  EXPECT_GT(missing, 0U);
  EXPECT_LE(missing, kLargestBlock);
  expect_to_finish(missing);
}

// Two blocks for four ranks: at least one of those that die was through, and waited for the others.
TEST_F(Ranks, ThoseThatDieWithNothingLeftToDoDoNotHoldTheRest) {
  constexpr std::size_t kFew = 20;
  copy_samples(scratch_ / "few", {"birds"}, kFew);
  const std::vector<std::string> few = extract(scratch_ / "few", cache());
  const ProcessResult killed = four(few, after_a_block([](const std::vector<int>& ranks) {
                                      for (std::size_t i = 1; i < ranks.size(); ++i) kill(ranks[i], SIGKILL);
                                    }),
                                    {"--enable-recovery"});
  const std::size_t done = cached_rows(cache()).size();
  if (killed.out.find("20 images") != std::string::npos) {
    EXPECT_EQ(done, kFew) << killed.err;
  } else {  // one was killed at its block, or after publishing it and before telling so
    EXPECT_EQ(occurrences(killed.err, "headstart: error: a process died"), 1) << killed.err;
  }
  const ProcessResult again = headstart_process(few);
  EXPECT_NE(again.out.find(counts(done, kFew - done)), std::string::npos) << again.out;
}

TEST_F(Ranks, OneThatIsInterruptedLeavesTheRestToTheOthers) {
  HEADSTART_ONLY_NIGHTLY();
  const ProcessResult result =
      four(extract_all(), after_a_block([](const std::vector<int>& ranks) { kill(ranks.back(), SIGTERM); }));
  const std::size_t missing = kImages - cached_rows(cache()).size();
  EXPECT_LE(missing, kLargestBlock);
  EXPECT_EQ(result.exit_code == 0, missing == 0) << result.err;
  if (missing > 0) {
    EXPECT_NE(result.err.find("not all images are done: "), std::string::npos) << result.err;
  }
}

TEST_F(Ranks, DifferentFilesAreRefused) {
  copy_samples(scratch_ / "few", {"birds"}, 2);
  const ProcessResult result = launch({{2, extract_all()}, {1, extract(scratch_ / "few", cache())}});
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_EQ(occurrences(result.err, "headstart: error: the processes do not see the same files"), 1)
      << result.err;
  EXPECT_FALSE(fs::exists(cache()));
}

TEST_F(Ranks, WhatAllFindWrongIsToldOnce) {
  const ProcessResult result = four(extract(scratch_ / "nowhere", cache()));
  EXPECT_EQ(result.exit_code, kUsageError) << result.err;
  EXPECT_EQ(occurrences(result.err, "headstart: error: cannot find the dataset"), 1) << result.err;
}

}  // namespace
}  // namespace headstart::test
