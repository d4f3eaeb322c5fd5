// features/omp_threads.hpp: OpenMP's thread count for a scope.
#pragma once

#include <omp.h>

namespace headstart {

/// OpenMP's thread count belongs to the calling thread: set it for a scope, then put it back. oneDNN's
/// planning and execution must agree on it, as primitives divide their work and scratchpad when they are
/// made.
class OmpThreads {
 public:
  explicit OmpThreads(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
  ~OmpThreads() { omp_set_num_threads(before_); }
  OmpThreads(const OmpThreads&) = delete;
  OmpThreads& operator=(const OmpThreads&) = delete;

 private:
  int before_;
};

}  // namespace headstart
