// tests/pipeline/commands/sweep_plan_test.cpp: what a search costs is told before it begins.
#include "pipeline/commands/sweep_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "data/error.hpp"
#include "head/layers/solver.hpp"

namespace headstart {
namespace {

StageTwoSize size_of(std::int64_t images, bool pooled = false) {
  const MapShape shape = pooled ? MapShape{1, 1, 512} : MapShape{7, 7, 512};
  return {.images = images,
          .rows = images,
          .shape = shape,
          .nonzeros = expected_nonzeros(images, shape),
          .classes = 10};
}

TrainOptions options_with(std::vector<Pooling> poolings) {
  TrainOptions options;
  options.sweep.emplace();
  options.sweep->space.poolings = std::move(poolings);
  return options;
}

TEST(SweepPlan, PooledRowsOfAnySizeTakeFourBytesAFeatureAndTheirHeads) {
  const TrainOptions options = options_with({Pooling::kAverage});
  const SweepPlan plan = plan_sweep(size_of(100'000, true), options);
  EXPECT_GE(plan.bytes, 100'000 * 512 * 4);
  EXPECT_LT(plan.bytes, 100'000 * 512 * 4 + 100'000'000);
  EXPECT_EQ(plan.configurations, 72U);
  EXPECT_EQ(plan.rounds.back().images, 100'000U);
}

// train's defaults take flattened rows, which need not be among the candidates'.
TEST(SweepPlan, KeepsTheRowsOfTrainsDefaultsIfTheyFit) {
  const TrainOptions options = options_with({Pooling::kAverage});
  const auto flattened = [&](std::int64_t images) {
    const std::vector<Pooling> poolings = plan_sweep(size_of(images), options).poolings;
    return std::find(poolings.begin(), poolings.end(), Pooling::kFlatten) != poolings.end();
  };
  EXPECT_TRUE(flattened(1000));
  EXPECT_FALSE(flattened(available_memory() / 25'088));
}

TEST(SweepPlan, TakesLongerWithMoreImagesAndLessWithABudget) {
  TrainOptions options = options_with({Pooling::kAverage, Pooling::kFlatten});
  double before = 0.0;
  for (const std::int64_t images : {100, 1000, 5000, 20'000}) {
    const double seconds = plan_sweep(size_of(images), options).core_seconds;
    EXPECT_GT(seconds, before) << images;
    before = seconds;
  }
  options.sweep->budget = *parse_search_budget("25%");
  EXPECT_NEAR(plan_sweep(size_of(20'000), options).core_seconds, 0.25 * before, 0.05 * before);
}

// Twice as many configurations, of which half are wide: as many more may all be wide in the last rounds.
TEST(SweepPlan, CountsTheWidestConfigurationsInLaterRounds) {
  TrainOptions options = options_with({Pooling::kAverage});
  options.sweep->space.hidden = {{256}};
  const double wide = plan_sweep(size_of(20'000, true), options).core_seconds;
  options.sweep->space.hidden = {{}, {256}};
  EXPECT_GT(plan_sweep(size_of(20'000, true), options).core_seconds, 1.5 * wide);
}

TEST(SweepPlan, FlattenedRowsThatDoNotFitAreReadInWindows) {
  const std::int64_t too_many = available_memory() / 25'088;
  EXPECT_EQ(plan_sweep(size_of(1000), options_with({Pooling::kFlatten})).window, 0U);
  const SweepPlan plan = plan_sweep(size_of(too_many), options_with({Pooling::kFlatten}));
  EXPECT_GT(plan.window, 100U);
  EXPECT_LT(static_cast<std::int64_t>(plan.window), too_many);
  EXPECT_LE(plan.bytes, available_memory() / 2);
}

TEST(SweepPlan, PooledRowsThatDoNotFitAreInAFileIfTheDiskHasRoom) {
  TrainOptions options = options_with({Pooling::kAverage});
  options.out = std::filesystem::temp_directory_path() / "out";
  const std::int64_t images = available_memory() / 2048 / 5 * 2 + 1000;
  const SweepPlan plan = plan_sweep(size_of(images, true), options);
  EXPECT_EQ(plan.file_bytes, images * 2048);
  EXPECT_LE(plan.bytes, available_memory() / 2);
  EXPECT_NE(describe(plan, options, 1).find("of rows in a file beside OUT"), std::string::npos);
  EXPECT_THROW(static_cast<void>(plan_sweep(size_of(std::int64_t{1} << 36, true), options)), Error);
}

// Windows of flattened rows have half of the room, however many pooled rows there are.
TEST(SweepPlan, PooledRowsLeaveRoomForWindowsOfFlattenedOnes) {
  TrainOptions options = options_with({Pooling::kAverage, Pooling::kFlatten});
  options.out = std::filesystem::temp_directory_path() / "out";
  const std::int64_t images = available_memory() / 2048 / 3;
  const SweepPlan plan = plan_sweep(size_of(images), options);
  EXPECT_GT(plan.file_bytes, 0);
  EXPECT_GT(plan.window, 1000U);
}

TEST(SweepPlan, SaysHowMuchAndHowLong) {
  const TrainOptions options = options_with({Pooling::kAverage});
  const std::string text = describe(plan_sweep(size_of(8000, true), options), options, 1);
  EXPECT_NE(text.find("72 of 72 configurations on 1000, 2828, 8000 images"), std::string::npos) << text;
  EXPECT_NE(text.find("on 1 thread, "), std::string::npos) << text;
}

}  // namespace
}  // namespace headstart
