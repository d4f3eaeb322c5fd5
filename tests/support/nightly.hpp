// tests/support/nightly.hpp: tests that take too long for every commit; `scripts/test nightly` runs them,
// too.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>

/// Skips the rest of a test unless HEADSTART_NIGHTLY is set.
#define HEADSTART_ONLY_NIGHTLY() \
  if (std::getenv("HEADSTART_NIGHTLY") == nullptr) GTEST_SKIP() << "runs with HEADSTART_NIGHTLY=1"
