// tests/head/training/early_stopping_test.cpp
#include "head/training/early_stopping.hpp"

#include <gtest/gtest.h>

namespace headstart::test {
namespace {

TEST(EarlyStoppingTest, StopsAfterPatienceEpochsWithoutABetterLoss) {
  EarlyStopping stopping(2);
  EXPECT_TRUE(stopping.improved(0, 3.0));
  EXPECT_TRUE(stopping.improved(1, 2.0));
  EXPECT_FALSE(stopping.improved(2, 2.0));  // equal is not better
  EXPECT_FALSE(stopping.should_stop());
  EXPECT_TRUE(stopping.improved(3, 1.5));
  EXPECT_FALSE(stopping.improved(4, 1.6));
  EXPECT_FALSE(stopping.should_stop());
  EXPECT_FALSE(stopping.improved(5, 1.7));
  EXPECT_TRUE(stopping.should_stop());
  EXPECT_EQ(stopping.best_epoch(), 3);
}

TEST(EarlyStoppingTest, PatienceZeroStopsAtTheFirstWorseEpochAsPatienceOneDoes) {
  for (const int patience : {0, 1}) {
    EarlyStopping stopping(patience);
    EXPECT_TRUE(stopping.improved(0, 1.0));
    EXPECT_FALSE(stopping.should_stop());
    EXPECT_FALSE(stopping.improved(1, 1.1));
    EXPECT_TRUE(stopping.should_stop());
  }
}

}  // namespace
}  // namespace headstart::test
