// features/engines/omp_threads.hpp: OpenMP's threads for a scope: their number, and their treatment of
// denormal numbers.
#pragma once

#include <omp.h>

#include <cstddef>
#include <vector>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace headstart {

/// Sets OpenMP's thread count for a scope, and restores it afterwards. The count belongs to the calling
/// thread. oneDNN's planning and execution must use the same count, because primitives divide their work and
/// scratchpad when they are made.
class OmpThreads {
 public:
  explicit OmpThreads(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
  ~OmpThreads() { omp_set_num_threads(before_); }
  OmpThreads(const OmpThreads&) = delete;
  OmpThreads& operator=(const OmpThreads&) = delete;

 private:
  int before_;
};

/// Flushes denormal numbers to zero on every thread of OpenMP's team. A head that fits its images sends
/// denormal gradients into the blocks. They change nothing, but made convolutions three times as slow on an
/// Intel CPU. On other CPUs than x86 this class does nothing.
class OmpFlushDenormals {
 public:
#if defined(__SSE2__)
  OmpFlushDenormals() : before_(static_cast<std::size_t>(omp_get_max_threads())) {
    constexpr unsigned kFlushResults = 0x8000;
    constexpr unsigned kFlushOperands = 0x0040;
#pragma omp parallel
    {
      unsigned& own = before_[static_cast<std::size_t>(omp_get_thread_num())];
      own = _mm_getcsr();
      _mm_setcsr(own | kFlushResults | kFlushOperands);
    }
  }
  ~OmpFlushDenormals() {
#pragma omp parallel
    _mm_setcsr(before_[static_cast<std::size_t>(omp_get_thread_num())]);
  }
#else
  OmpFlushDenormals() = default;
#endif
  OmpFlushDenormals(const OmpFlushDenormals&) = delete;
  OmpFlushDenormals& operator=(const OmpFlushDenormals&) = delete;

 private:
  std::vector<unsigned> before_;  // each thread's control register
};

}  // namespace headstart
