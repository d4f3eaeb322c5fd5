// tests/faults/kill_test.cpp: `headstart extract` killed at random moments, alone, beside another one and
// while the cache is compacted. HEADSTART_KILLS says how many kills (default 10); HEADSTART_SEED repeats a
// run, whose seed is printed.
#include <gtest/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <thread>

#include "tests/faults/extraction_run.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;

constexpr int kLongest_ms = 1500;

int wanted_kills() {
  const char* const given = std::getenv("HEADSTART_KILLS");
  return given == nullptr ? 10 : std::max(1, std::atoi(given));
}

unsigned wanted_seed() {
  const char* const given = std::getenv("HEADSTART_SEED");
  return given == nullptr ? std::random_device{}() : static_cast<unsigned>(std::strtoul(given, nullptr, 10));
}

ProcessOptions kill_after(int milliseconds) {
  ProcessOptions options;
  options.while_running = [milliseconds](int pid) {
    usleep(static_cast<useconds_t>(milliseconds) * 1000U);
    kill(pid, SIGKILL);
  };
  return options;
}

class Kills : public ::testing::Test {
 protected:
  Kills() : seed_(wanted_seed()), random_(seed_) {
    std::printf("HEADSTART_SEED=%u\n", seed_);
    static_cast<void>(extraction_keys());  // has the dataset there before the first kill
  }
  [[nodiscard]] int some_ms() { return std::uniform_int_distribution<int>(1, kLongest_ms)(random_); }

  unsigned seed_;
  std::mt19937 random_;
};

TEST_F(Kills, ARunThatIsKilledAgainAndAgainLosesOnlyWhatWasInFlight) {
  int kills = 0;
  int finished = 0;
  while (kills < wanted_kills()) {
    const ScratchFolder scratch;
    const fs::path cache = scratch / "cache";
    std::size_t before = 0;
    while (true) {
      const ProcessResult result = extract_into(cache, kill_after(some_ms()));
      const CacheContent content = content_of(cache);
      ASSERT_EQ(content.wrong, 0U);
      ASSERT_TRUE(content.warnings.empty()) << content.warnings.front();
      ASSERT_GE(content.rows, before) << "a published row is gone";
      if (result.exit_code == 0) {
        EXPECT_EQ(computed(result), extraction_keys().size() - before)
            << "what was cached is not computed again";
        ASSERT_EQ(content.rows, extraction_keys().size());
        ++finished;
        break;
      }
      ASSERT_EQ(result.exit_code, 128 + SIGKILL) << result.err;
      before = content.rows;
      if (++kills >= wanted_kills()) {
        ASSERT_EQ(extract_into(cache).exit_code, 0);
        ASSERT_EQ(content_of(cache).rows, extraction_keys().size());
        ASSERT_EQ(content_of(cache).wrong, 0U);
        break;
      }
    }
  }
  std::printf("%d kills, %d runs that came to their end between them\n", kills, finished);
}

TEST_F(Kills, WhatIsInASegmentWhenTheKillComesIsNotComputedAgain) {
  const ScratchFolder scratch;
  const fs::path cache = scratch / "cache";
  const auto segments = [&] {
    std::size_t found = 0;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(cache, error), end; !error && entry != end;
         entry.increment(error))
      found += entry->path().extension() == ".h5" ? 1U : 0U;
    return found;
  };
  for (std::size_t wanted = 1; wanted <= 2; ++wanted) {
    ProcessOptions murder;  // as soon as a run's first segment has its name
    murder.while_running = [&](int pid) {
      for (int waited_ms = 0; segments() < wanted && waited_ms < 20'000; ++waited_ms) usleep(1000);
      kill(pid, SIGKILL);
    };
    ASSERT_EQ(extract_into(cache, murder).exit_code, 128 + SIGKILL);
    EXPECT_EQ(segments(), wanted);
  }
  const CacheContent content = content_of(cache);
  EXPECT_GT(content.rows, 0U);
  EXPECT_EQ(content.wrong, 0U);
  const ProcessResult last = extract_into(cache);
  ASSERT_EQ(last.exit_code, 0) << last.err;
  EXPECT_EQ(computed(last), extraction_keys().size() - content.rows);
}

TEST_F(Kills, TwoWritersAndACompactionAtOnceDisturbNobody) {
  const int rounds = std::max(1, wanted_kills() / 5);
  for (int round = 0; round < rounds; ++round) {
    const ScratchFolder scratch;
    const fs::path cache = scratch / "cache";
    const int first_ms = some_ms();
    const int compact_ms = some_ms();
    ProcessResult second;
    ProcessResult compact;
    std::thread other([&] { second = extract_into(cache); });
    std::thread compaction([&] {
      usleep(500'000);
      compact = headstart_process({"cache", "compact", "--cache", cache.string()}, kill_after(compact_ms));
    });
    const ProcessResult first = extract_into(cache, kill_after(first_ms));
    other.join();
    compaction.join();
    EXPECT_TRUE(first.exit_code == 0 || first.exit_code == 128 + SIGKILL) << first.err;
    EXPECT_TRUE(compact.exit_code == 0 || compact.exit_code == 128 + SIGKILL) << compact.err;
    ASSERT_EQ(second.exit_code, 0) << second.err;
    const CacheContent content = content_of(cache);
    EXPECT_EQ(content.rows, extraction_keys().size());
    EXPECT_EQ(content.wrong, 0U);
    EXPECT_TRUE(content.warnings.empty()) << content.warnings.front();
    ASSERT_EQ(headstart_process({"cache", "compact", "--cache", cache.string()}).exit_code, 0);
    EXPECT_EQ(content_of(cache).rows, extraction_keys().size());
    EXPECT_EQ(content_of(cache).wrong, 0U);
  }
}

}  // namespace
}  // namespace headstart::test
