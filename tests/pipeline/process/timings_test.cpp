// tests/pipeline/process/timings_test.cpp
#include "pipeline/process/timings.hpp"

#include <gtest/gtest.h>

namespace headstart {
namespace {

using namespace std::chrono_literals;

TEST(Timings, PassesAddUpToTheWhole) {
  const Timings::Clock::time_point start{};
  Timings timings("start", start);
  timings.begin("train", start + 1s);
  timings.begin("write", start + 4s);
  timings.begin("train", start + 5s);
  const auto passes = timings.passes(start + 10s);
  ASSERT_EQ(passes.size(), 3U) << "train went on";
  EXPECT_EQ(passes[0].seconds, 1.0);
  EXPECT_EQ(passes[1].seconds, 8.0);
  EXPECT_EQ(passes[2].seconds, 1.0);
}

TEST(Timings, TheTableHasSharesAndATotal) {
  const Timings::Clock::time_point start{};
  Timings timings("start", start);
  timings.begin("train", start + 500ms);
  const std::string table = timings.table(start + 2s);
  for (const char* text : {"pass", "seconds", "share", "start", "0.50", "25 %", "train", "1.50", "75 %",
                           "total", "2.00", "100 %"}) {
    EXPECT_NE(table.find(text), std::string::npos) << text << '\n' << table;
  }
}

}  // namespace
}  // namespace headstart
