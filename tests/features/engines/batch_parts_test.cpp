// tests/features/engines/batch_parts_test.cpp
#include "features/engines/batch_parts.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace headstart {
namespace {

RC_GTEST_PROP(BatchParts, EveryRowIsRunWhateverTheMemoryHolds, ()) {
  const int batch = *rc::gen::inRange(1, 200);
  int part = *rc::gen::inRange(1, batch + 1);
  std::vector<int> runs(static_cast<std::size_t>(batch));
  int memory = *rc::gen::inRange(1, 200);
  const int first_part = part;
  std::vector<int> parts;
  run_in_parts(batch, part, [&](int first, int rows) {
    RC_ASSERT(first >= 0);
    RC_ASSERT(first + rows <= batch);
    parts.push_back(rows);
    if (rows > memory) throw OutOfDeviceMemory("full");
    for (int row = first; row < first + rows; ++row) ++runs[static_cast<std::size_t>(row)];
    memory = *rc::gen::inRange(1, 200);  // others come and go
  });
  for (const int count : runs) RC_ASSERT(count >= 1);
  RC_ASSERT(part <= first_part);
  for (std::size_t i = 1; i < parts.size(); ++i)
    RC_ASSERT(parts[i] == parts[i - 1] || parts[i] == parts[i - 1] / 2);
}

TEST(BatchParts, OneThatFitsIsRunOnceAndWhole) {
  int part = 32;
  int calls = 0;
  run_in_parts(32, part, [&](int first, int rows) {
    ++calls;
    EXPECT_EQ(first, 0);
    EXPECT_EQ(rows, 32);
  });
  EXPECT_EQ(calls, 1);
}

TEST(BatchParts, TheLastPartEndsWithTheBatch) {
  int part = 4;
  std::vector<int> firsts;
  run_in_parts(10, part, [&](int first, int rows) {
    EXPECT_EQ(rows, 4);
    firsts.push_back(first);
  });
  EXPECT_EQ(firsts, (std::vector<int>{0, 4, 6}));
}

TEST(BatchParts, ASmallerPartIsRemembered) {
  int part = 16;
  const auto run = [](int, int rows) {
    if (rows > 5) throw OutOfDeviceMemory("full");
  };
  run_in_parts(16, part, run);
  EXPECT_EQ(part, 4);
}

TEST(BatchParts, OneRowThatDoesNotFitIsAnError) {
  int part = 8;
  EXPECT_THROW(run_in_parts(8, part, [](int, int) { throw OutOfDeviceMemory("full"); }), OutOfDeviceMemory);
  EXPECT_EQ(part, 1);
}

}  // namespace
}  // namespace headstart
