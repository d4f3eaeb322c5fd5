// pipeline/process/shared_work.hpp: a list of items that several processes work through together, each at its
// own pace. A process takes the next few items when it has done its last ones. No process waits before all
// items are taken. Invariant: every item is given out once. An item of a process that dies is not given out
// again: the next run finds that it is missing.
#pragma once

#include <cstdint>
#include <vector>

namespace headstart {

/// The progress of one process.
struct WorkCounts {
  std::uint64_t done = 0;
  std::uint64_t cached = 0;
  std::uint64_t computed = 0;
  std::uint64_t copies = 0;  ///< of computed items
  std::uint64_t rejected = 0;
  std::uint64_t from_taps = 0;  ///< rows that were computed from a cached tap, without the image

  /// Adds each count.
  WorkCounts& operator+=(const WorkCounts& other) noexcept;
  bool operator==(const WorkCounts&) const = default;
};

/// Items begin, begin + 1, ... end - 1.
struct WorkRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  /// The number of items.
  [[nodiscard]] std::uint64_t size() const noexcept { return end - begin; }
};

/// Items that processes take from a common list.
class SharedWork {
 public:
  virtual ~SharedWork() = default;

  /// The next items, at most `most` (at least 1); an empty range if all are given out.
  [[nodiscard]] virtual WorkRange take(std::uint64_t most) = 0;

  /// Tells the others the progress of this process.
  virtual void report(const WorkCounts& own) = 0;

  /// Each process's counts of about a second ago, by rank. Empty before the end on ranks other than 0.
  [[nodiscard]] virtual std::vector<WorkCounts> progress() const = 0;

  /// The result of the common work.
  struct End {
    std::vector<WorkCounts> counts;  ///< by rank
    std::vector<int> lost;  ///< ranks that died, even if only after all was done, or that can't be reached
  };
  /// Waits until every process has called finish() or is lost. Call finish() once, after the last report().
  [[nodiscard]] virtual End finish() = 0;
};

/// How many items to take next, after `last` items (0: none yet) took `seconds`. The result is a share of 20
/// to 30 seconds, at most twice the last one, within 16 .. 4096. Towards the end shares are smaller, so that
/// all processes finish together. A process that dies can lose one share. A share is published as a whole, so
/// cached results are as old as a share.
/// @param left       items that no process has taken, as far as known
/// @param processes  the number of processes that share the items
[[nodiscard]] std::uint64_t next_block(std::uint64_t last, double seconds, std::uint64_t left, int processes);

}  // namespace headstart
