// memory/flush_denormals.hpp: flushes numbers below 1.2e-38 to zero on this thread while a FlushDenormals
// lives. Why: once a head is sure of its rows, many gradients are near 1e-40. Each operation on such a number
// costs an Intel core a hundred cycles. An epoch of the sample set took 2.7 times as long
// (docs/head-solvers.md). TensorFlow flushes such numbers, too.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace headstart {

class FlushDenormals {
 public:
  FlushDenormals() noexcept : before_(control()) { set_control(before_ | kFlush); }
  ~FlushDenormals() { set_control(before_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
#if defined(__SSE2__)
  static constexpr std::uint64_t kFlush = 0x8040;  // MXCSR: results (FTZ) and operands (DAZ)
  static std::uint64_t control() noexcept { return _mm_getcsr(); }
  static void set_control(std::uint64_t bits) noexcept { _mm_setcsr(static_cast<unsigned>(bits)); }
#elif defined(__aarch64__)
  static constexpr std::uint64_t kFlush = std::uint64_t{1} << 24U;  // FPCR.FZ
  static std::uint64_t control() noexcept {
    std::uint64_t bits = 0;
    asm volatile("mrs %0, fpcr" : "=r"(bits));
    return bits;
  }
  static void set_control(std::uint64_t bits) noexcept { asm volatile("msr fpcr, %0" : : "r"(bits)); }
#else
  static constexpr std::uint64_t kFlush = 0;
  static std::uint64_t control() noexcept { return 0; }
  static void set_control(std::uint64_t) noexcept {}
#endif
  std::uint64_t before_;
};

}  // namespace headstart
