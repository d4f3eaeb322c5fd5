// tests/head/training/schedule_test.cpp
#include "head/training/schedule.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

#include "memory/enum_names.hpp"

namespace headstart::test {
namespace {

std::vector<double> rates(Schedule schedule, int epochs) {
  std::vector<double> result;
  result.reserve(static_cast<std::size_t>(epochs));
  const LearningRate rate(schedule, 1.0, epochs);
  for (int epoch = 0; epoch < epochs; ++epoch) result.push_back(rate.at(epoch));
  return result;
}

TEST(ScheduleTest, NamesGoBothWays) {
  for (const Schedule schedule :
       {Schedule::kConstant, Schedule::kStep, Schedule::kCosine, Schedule::kPlateau}) {
    EXPECT_EQ(parse_name<Schedule>(to_string(schedule)), schedule);
  }
  EXPECT_EQ(to_string(Schedule::kCosine), "cosine");
  EXPECT_FALSE(parse_name<Schedule>("linear"));
  EXPECT_FALSE(parse_name<Schedule>(""));
}

TEST(LearningRateTest, ConstantNeverChanges) {
  LearningRate rate(Schedule::kConstant, 0.25, 3);
  for (int epoch = 0; epoch < 3; ++epoch) {
    EXPECT_EQ(rate.at(epoch), 0.25);
    rate.epoch_ended(1e9);
  }
}

TEST(LearningRateTest, StepFallsTenfoldAtHalfAndAtThreeQuarters) {
  const std::vector<double> expected{1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.01, 0.01};
  const std::vector<double> found = rates(Schedule::kStep, 8);
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-15) << i;
}

TEST(LearningRateTest, CosineFallsFromTheBaseAlongHalfACosine) {
  const std::vector<double> expected{1.0, 0.75, 0.25};  // (1 + cos(pi k / 3)) / 2
  const std::vector<double> found = rates(Schedule::kCosine, 3);
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-15) << i;
}

TEST(LearningRateTest, PlateauFallsAfterFiveEpochsWithoutABetterLoss) {
  LearningRate rate(Schedule::kPlateau, 1.0, 100);
  rate.epoch_ended(1.0);
  for (int epoch = 0; epoch < 4; ++epoch) rate.epoch_ended(1.0);
  EXPECT_EQ(rate.at(5), 1.0);
  rate.epoch_ended(0.99995);  // better, but by less than 1e-4
  EXPECT_NEAR(rate.at(6), 0.1, 1e-15);
  for (int epoch = 0; epoch < 4; ++epoch) rate.epoch_ended(2.0);
  rate.epoch_ended(0.5);  // starts the count again
  for (int epoch = 0; epoch < 4; ++epoch) rate.epoch_ended(0.5);
  EXPECT_NEAR(rate.at(16), 0.1, 1e-15);
  rate.epoch_ended(0.5);
  EXPECT_NEAR(rate.at(17), 0.01, 1e-15);
}

}  // namespace
}  // namespace headstart::test
