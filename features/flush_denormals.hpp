// features/flush_denormals.hpp: denormal numbers are zero for a scope, in the calling thread.
#pragma once

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace headstart {

/// Elsewhere than on x86 it does nothing.
class FlushDenormals {
 public:
#if defined(__SSE2__)
  FlushDenormals() : before_(_mm_getcsr()) {
    constexpr unsigned kFlushResults = 0x8000;
    constexpr unsigned kFlushOperands = 0x0040;
    _mm_setcsr(before_ | kFlushResults | kFlushOperands);
  }
  ~FlushDenormals() { _mm_setcsr(before_); }
#else
  FlushDenormals() = default;
#endif
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
#if defined(__SSE2__)
  unsigned before_;  // the thread's control register
#endif
};

}  // namespace headstart
