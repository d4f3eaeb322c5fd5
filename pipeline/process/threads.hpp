// pipeline/process/threads.hpp: how many threads the process may use, and one limit for every thread pool.
#pragma once

#include <memory>

namespace headstart {

/// The number of CPUs that the process may use: the smaller of its affinity mask and its cgroup's CPU quota,
/// rounded up; at least 1. Processes of one mpirun on one machine divide its CPUs if they are not bound to
/// processors of their own.
[[nodiscard]] int available_threads();

/// Limits every thread pool (oneTBB, OpenMP, OpenCV, Eigen) to `threads` while it lives.
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
