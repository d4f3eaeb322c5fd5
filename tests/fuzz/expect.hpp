// tests/fuzz/expect.hpp: what a fuzzer holds to be true of every result. A failure ends the process, so that
// libFuzzer keeps the input.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace headstart::fuzz {

/// Ends the process unless `holds`.
inline void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "expected: %s\n", what);
  std::abort();
}

}  // namespace headstart::fuzz
