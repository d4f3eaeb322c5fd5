// pipeline/threads.hpp: how many threads the process may use, and one setting for every pool.
#pragma once

#include <memory>

namespace headstart {

/// CPUs that the process may run on: the smaller of its affinity mask and its cgroup's CPU quota, rounded up;
/// at least 1. The processes of one mpirun that are on one machine, and not bound to processors of their own,
/// divide its CPUs.
[[nodiscard]] int available_threads();

/// Limits every pool (oneTBB, OpenMP, OpenCV, Eigen) to `threads` while it lives.
class ThreadLimit {
 public:
  /// @param threads  1 or more
  explicit ThreadLimit(int threads);
  ~ThreadLimit();
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  struct Control;
  std::unique_ptr<Control> control_;
};

}  // namespace headstart
