// tests/pipeline/commands/training_plan_test.cpp: what a training costs is told before it begins.
#include "pipeline/commands/training_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace headstart {
namespace {

using ::testing::HasSubstr;

StageTwoSize flattened_rows(std::int64_t images) {
  const MapShape shape{7, 7, 512};
  return {.images = images,
          .rows = images,
          .shape = shape,
          .nonzeros = expected_nonzeros(images, shape),
          .classes = 10};
}

TEST(TrainingPlan, TakesTheSolverThatCostsLess) {
  TrainOptions options;
  EXPECT_EQ(plan_training(flattened_rows(400), options).solver, Solver::kGram);
  EXPECT_EQ(plan_training(flattened_rows(20'000), options).solver, Solver::kPrimal);
  options.training.solver = Solver::kPrimal;
  EXPECT_EQ(plan_training(flattened_rows(400), options).solver, Solver::kPrimal);
}

TEST(TrainingPlan, CountsRowsAndWhatTheSolverAdds) {
  TrainOptions options;
  options.representation.pooling = Pooling::kAverage;
  options.training.hidden = {};
  const TrainingPlan plan = plan_training(flattened_rows(70'000), options);
  EXPECT_GE(plan.bytes, 70'000 * 512 * 4);
  EXPECT_LT(plan.bytes, 70'000 * 512 * 4 + 1'000'000);
  EXPECT_EQ(plan.file_bytes, 0);
  EXPECT_THAT(describe(plan, options, 1), HasSubstr("primal solver, 10 epochs: about "));
}

// Ten outputs are one slab of weights: a second thread would have nothing to do.
TEST(TrainingPlan, CountsTheThreadsThatCanShareAStep) {
  TrainOptions options;
  options.representation.pooling = Pooling::kAverage;
  options.training.hidden = {};
  EXPECT_EQ(plan_training(flattened_rows(70'000), options).most_threads, 1);
  options.training.hidden = {1024};
  EXPECT_GT(plan_training(flattened_rows(70'000), options).most_threads, 8);
}

TEST(TrainingPlan, PooledRowsBeyondMemoryAreInAFile) {
  TrainOptions options;
  options.representation.pooling = Pooling::kAverage;
  options.out = std::filesystem::temp_directory_path() / "out";
  const StageTwoSize size = flattened_rows(available_memory() / 2048 / 5 * 2 + 1000);
  const TrainingPlan plan = plan_training(size, options);
  EXPECT_EQ(plan.file_bytes, size.rows * 2048);
  EXPECT_LT(plan.bytes, 100'000'000);
  EXPECT_THAT(describe(plan, options, 1), HasSubstr("of rows in a file beside OUT"));
}

}  // namespace
}  // namespace headstart
