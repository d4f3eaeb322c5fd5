// tests/faults/compaction_test.cpp: rounds of two compactions, a writer and a reader at once, at random:
// paused at their points, killed, short of disk, with and without a lock, with indexes that lie. No row may
// get lost or be wrong. HEADSTART_COMPACTION_ROUNDS says how many rounds (default 40; 1,000 with
// HEADSTART_NIGHTLY), HEADSTART_SEED repeats a run; both are printed.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <set>

#include "data/error.hpp"
#include "features/cache/cache.hpp"
#include "features/cache/cache_folder.hpp"
#include "tests/features/cache/cache_workplace.hpp"
#include "tests/features/cache/made_up_segment.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 2> kEngines{"engine", "another"};

std::optional<unsigned> number_in(const char* variable) {
  const char* const given = std::getenv(variable);
  if (given == nullptr) return std::nullopt;
  return static_cast<unsigned>(std::strtoul(given, nullptr, 10));
}

/// Rows of the second engine differ in their first value, as those of real engines do in their last bits.
Segment segment_of(const std::vector<int>& images, std::size_t engine) {
  Segment segment = made_up_segment(images);
  segment.origin.engine = kEngines.at(engine);
  for (std::size_t row = 0; engine > 0 && row < segment.keys.size(); ++row)
    segment.rows.values[static_cast<std::size_t>(segment.rows.indptr[row])] += 0.5F;
  return segment;
}

/// Random numbers of one round.
class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  int between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  bool one_in(int n) { return between(1, n) == 1; }
  unsigned seed() { return static_cast<unsigned>(engine_()); }
  std::mt19937& engine() { return engine_; }

 private:
  std::mt19937 engine_;
};

struct Counts {
  int rounds = 0;
  int compactions = 0;
  int kills = 0;
  int reads = 0;
  std::size_t rows_read = 0;
  int lost = 0;
  int wrong = 0;
};

/// One cache in which everything happens at once.
class Round {
 public:
  Round(unsigned seed, Counts& counts) : dice_(seed), counts_(counts) {
    FeatureCache first = open();
    publish_some(first);
    for (int segment = dice_.between(1, 23); segment > 0; --segment) put_segment();
    if (dice_.one_in(2)) workplace_.open().save_index();
    if (dice_.one_in(8) && SegmentIndex::read(workplace_.folder()).rows().size() > 1)
      have_index_lie(workplace_.folder());
    merged_bytes_ = static_cast<std::size_t>(dice_.between(8, 120)) << 10U;
    locks_ = !dice_.one_in(3);
  }

  void run() {
    std::array<pid_t, 2> compactions{};
    std::array<std::optional<std::chrono::steady_clock::time_point>, 2> kill_at;
    std::array<int, 2> restarts{dice_.between(0, 2), dice_.between(0, 2)};
    const auto start = [&](std::size_t which) {
      compactions.at(which) = start_compaction();
      kill_at.at(which) = std::nullopt;
      if (dice_.one_in(2))
        kill_at.at(which) =
            std::chrono::steady_clock::now() + std::chrono::microseconds(dice_.between(0, 40'000));
    };
    FeatureCache reader = open();
    start(0);
    start(1);
    while (compactions[0] > 0 || compactions[1] > 0) {
      if (dice_.one_in(3)) reader = open();
      read_some(reader);
      if (dice_.one_in(10)) publish_some(reader);
      for (std::size_t i = 0; i < compactions.size(); ++i) {
        if (compactions.at(i) <= 0) continue;
        if (kill_at.at(i) && std::chrono::steady_clock::now() >= *kill_at.at(i))
          kill(compactions.at(i), SIGKILL);
        int status = 0;
        if (waitpid(compactions.at(i), &status, WNOHANG) == 0) continue;
        const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        EXPECT_TRUE(killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << status;
        counts_.kills += killed ? 1 : 0;
        compactions.at(i) = 0;
        if (restarts.at(i)-- > 0) start(i);
      }
    }
    read_all(reader);
    FeatureCache after = open();
    read_all(after);
    after.compact(settings(true));
    read_all(after);
    FeatureCache settled = open();
    EXPECT_EQ(settled.compact(settings(true)).merged, 0U) << "it does not settle";
    read_all(settled);
    const CacheVerification verified = verify_cache(workplace_.root(), [](auto, auto) {});
    EXPECT_EQ(verified.rows, images_.size()) << "not each once";
    EXPECT_TRUE(verified.faults.empty()) << verified.faults.front().reason;
    ++counts_.rounds;
  }

 private:
  FeatureCache open() {
    return {workplace_.root(), workplace_configuration(), Tap{"block5_pool"}, [](const std::string&) {}};
  }

  CompactionSettings settings(bool lock) const {
    CompactionSettings result;
    result.merged_bytes = merged_bytes_;
    result.lock = lock;
    return result;
  }

  /// Some images, some of them those of other segments, by some engine.
  Segment some_segment() {
    std::set<int> images;
    for (int image = dice_.between(1, 40); image > 0; --image) images.insert(next_++);
    if (dice_.one_in(3)) {
      for (int image = dice_.between(1, 10); image > 0; --image) images.insert(dice_.between(0, next_ - 1));
    }
    for (const int image : images) images_.insert(image);
    return segment_of({images.begin(), images.end()}, dice_.one_in(4) ? 1 : 0);
  }

  void put_segment() { workplace_.place(encode_segment(some_segment())); }

  void publish_some(FeatureCache& cache) { EXPECT_TRUE(cache.publish(some_segment())); }

  pid_t start_compaction() {
    const unsigned seed = dice_.seed();
    const bool lock = locks_;
    const bool full = dice_.one_in(6);
    const int longest_pause_us = dice_.one_in(3) ? 0 : 1 << dice_.between(4, 12);
    ++counts_.compactions;
    return start_child([&] {
      Dice dice(seed);
      if (full) {
        std::signal(SIGXFSZ, SIG_IGN);
        const auto bytes = static_cast<rlim_t>(dice.between(5'000, 120'000));
        const rlimit limit{bytes, bytes};
        setrlimit(RLIMIT_FSIZE, &limit);
      }
      CompactionSettings pausing = settings(lock);
      pausing.reached = [&](CompactionPoint) {
        if (longest_pause_us > 0) usleep(static_cast<useconds_t>(dice.between(0, longest_pause_us)));
      };
      open().compact(pausing);
      return true;
    });
  }

  void read_some(FeatureCache& cache) {
    std::vector<int> images(images_.begin(), images_.end());
    std::shuffle(images.begin(), images.end(), dice_.engine());
    images.resize(static_cast<std::size_t>(dice_.between(1, static_cast<int>(images.size()))));
    read(cache, images);
  }

  void read_all(FeatureCache& cache) { read(cache, {images_.begin(), images_.end()}); }

  void read(FeatureCache& cache, const std::vector<int>& images) {
    SparseRows rows;
    try {
      rows = cache.read(keys_of(images));
    } catch (const Error& error) {
      ++counts_.lost;
      ADD_FAILURE() << error.what();
      return;
    }
    ++counts_.reads;
    counts_.rows_read += rows.rows();
    for (std::size_t i = 0; i < images.size(); ++i) {
      if (is_row_of(rows, i, images[i])) continue;
      ++counts_.wrong;
      ADD_FAILURE() << "image " << images[i] << " has another row";
    }
  }

  static bool is_row_of(const SparseRows& rows, std::size_t row, int image) {
    const auto equals = [&](const SparseRows& right) {
      const auto indices = rows.row_indices(row);
      const auto values = rows.row_values(row);
      return std::equal(indices.begin(), indices.end(), right.indices.begin(), right.indices.end()) &&
             std::equal(values.begin(), values.end(), right.values.begin(), right.values.end());
    };
    return equals(segment_of({image}, 0).rows) || equals(segment_of({image}, 1).rows);
  }

  Workplace workplace_;
  Dice dice_;
  Counts& counts_;
  int next_ = 0;
  std::set<int> images_;  // that were published
  std::size_t merged_bytes_ = 0;
  bool locks_ = true;
};

TEST(Compactions, TwoAtOnceAWriterAndAReaderAtRandomLoseNothing) {
  const bool nightly = std::getenv("HEADSTART_NIGHTLY") != nullptr;
  const unsigned rounds = number_in("HEADSTART_COMPACTION_ROUNDS").value_or(nightly ? 1000U : 40U);
  const unsigned seed = number_in("HEADSTART_SEED").value_or(std::random_device{}());
  std::printf("HEADSTART_SEED=%u HEADSTART_COMPACTION_ROUNDS=%u\n", seed, rounds);
  Counts counts;
  for (unsigned round = 0; round < rounds && !::testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(::testing::Message() << "round " << round << ", by itself: HEADSTART_SEED=" << seed + round
                                      << " HEADSTART_COMPACTION_ROUNDS=1");
    Round(seed + round, counts).run();
  }
  std::printf("%d rounds: %d compactions, %d of them killed; %d reads of %zu rows: %d lost, %d wrong\n",
              counts.rounds, counts.compactions, counts.kills, counts.reads, counts.rows_read, counts.lost,
              counts.wrong);
}

}  // namespace
}  // namespace headstart::test
