// tests/pipeline/process/threads_test.cpp
#include "pipeline/process/threads.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace headstart {
namespace {

constexpr const char* kLocalSize = "OMPI_COMM_WORLD_LOCAL_SIZE";

TEST(AvailableThreads, AreSharedByTheRanksOfAMachine) {
  unsetenv(kLocalSize);
  const int alone = available_threads();
  EXPECT_GE(alone, 1);
  setenv(kLocalSize, "1", 1);
  EXPECT_EQ(available_threads(), alone);
  setenv(kLocalSize, "100000", 1);
  EXPECT_EQ(available_threads(), 1);
  setenv(kLocalSize, "many", 1);
  EXPECT_EQ(available_threads(), alone);
  unsetenv(kLocalSize);
}

}  // namespace
}  // namespace headstart
