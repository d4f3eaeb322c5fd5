// tests/head/workers_test.cpp
#include "head/workers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace headstart::test {
namespace {

TEST(WorkersTest, RunEveryTaskOnce) {
  for (const int threads : {0, 1, 2, 3}) {
    Workers workers(threads);
    std::vector<int> runs(100, 0);
    workers.for_each(runs.size(), [&](std::size_t i) { ++runs[i]; });
    EXPECT_EQ(std::count(runs.begin(), runs.end(), 1), 100) << threads << " threads";
    workers.for_each(0, [](std::size_t) { FAIL(); });
  }
}

TEST(WorkersTest, ATasksExceptionReachesTheCaller) {
  Workers workers(2);
  EXPECT_THROW(workers.for_each(8,
                                [](std::size_t i) {
                                  if (i == 5) throw std::runtime_error("task 5");
                                }),
               std::runtime_error);
}

// ThreadSanitizer has nothing to say to it.
TEST(WorkersTest, TheCallerAndItsTasksSeeWhatTheOtherWrote) {
  Workers workers(2);
  std::vector<int> values(100, 0);
  for (int round = 0; round < 50; ++round) {
    for (int& value : values) ++value;
    workers.for_each(values.size(), [&](std::size_t i) { ++values[i]; });
  }
  EXPECT_EQ(values, std::vector<int>(100, 100));
}

TEST(WorkersTest, HaveTheThreadsAskedFor) {
  EXPECT_EQ(Workers(3).threads(), 3);
  EXPECT_EQ(Workers(1).threads(), 1);
  EXPECT_GE(Workers(0).threads(), 1);
  EXPECT_THROW(Workers(-1), std::invalid_argument);
}

// Read through volatile, so that the product is computed here and now.
float denormal_product() {
  volatile float small = 1e-30F;
  volatile float smaller = 1e-10F;
  return small * smaller;
}

TEST(WorkersTest, DenormalNumbersAreFlushedInTasksAndOnlyThere) {
  ASSERT_GT(denormal_product(), 0.0F);
  for (const int threads : {1, 2}) {
    std::vector<float> products(8, 1.0F);
    Workers workers(threads);
    workers.for_each(products.size(), [&](std::size_t task) { products[task] = denormal_product(); });
    EXPECT_EQ(products, std::vector<float>(8, 0.0F)) << threads << " threads";
    EXPECT_GT(denormal_product(), 0.0F);
  }
}

}  // namespace
}  // namespace headstart::test
