// pipeline/shared_work.hpp: a list of items that several processes work off together, each at its own pace.
// A process takes the next few items when it has done its last; nobody waits for anybody until all are taken.
// Invariant: every item is given out once. One that was given to a process that dies is not given out again:
// the next run finds it missing.
#pragma once

#include <cstdint>
#include <vector>

namespace headstart {

/// How far one process is.
struct WorkCounts {
  std::uint64_t done = 0;
  std::uint64_t cached = 0;
  std::uint64_t computed = 0;
  std::uint64_t rejected = 0;
  std::uint64_t from_taps = 0;  ///< rows that needed no image

  /// Adds each count.
  WorkCounts& operator+=(const WorkCounts& other) noexcept;
  bool operator==(const WorkCounts&) const = default;
};

/// Items begin, begin + 1, ... end - 1.
struct WorkRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  /// How many items there are.
  [[nodiscard]] std::uint64_t size() const noexcept { return end - begin; }
};

/// Items that processes take from one list.
class SharedWork {
 public:
  virtual ~SharedWork() = default;

  /// The next items, at most `most` (at least 1); an empty range when all are given out.
  [[nodiscard]] virtual WorkRange take(std::uint64_t most) = 0;

  /// Tells the others how far this process is.
  virtual void report(const WorkCounts& own) = 0;

  /// Each process's counts as they were about a second ago, by rank. On other ranks than 0: empty before the
  /// end.
  [[nodiscard]] virtual std::vector<WorkCounts> progress() const = 0;

  /// How it ended.
  struct End {
    std::vector<WorkCounts> counts;  ///< by rank
    std::vector<int> lost;           ///< ranks that died, if only when all was done, or can't be reached
  };
  /// Waits until every process is here or lost. To be called once, after the last report().
  [[nodiscard]] virtual End finish() = 0;
};

/// How many items to take next, after `last` items (0: none yet) took `seconds`: as many as take 20 to 30
/// seconds, growing at most twofold, within 16 .. 4096; less towards the end, so that all finish together. A
/// block is what a process that dies can lose, and what it publishes at once: a cache segment is as old.
/// @param left       items that nobody has taken, as far as known
/// @param processes  that share them
[[nodiscard]] std::uint64_t next_block(std::uint64_t last, double seconds, std::uint64_t left, int processes);

}  // namespace headstart
