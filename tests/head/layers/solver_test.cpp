// tests/head/layers/solver_test.cpp: the rule that chooses a solver.
#include "head/layers/solver.hpp"

#include <gtest/gtest.h>

#include "memory/enum_names.hpp"

namespace headstart::test {
namespace {

constexpr std::int64_t kPlenty = std::int64_t{64} << 30;

// The recipe's run on `training` images of VGG16's flattened last pool.
TrainingShape recipe(std::int64_t training) {
  const std::int64_t rows = training * 5 / 4;
  return {.rows = rows,
          .training = training,
          .columns = 25'088,
          .nonzeros = rows * 2'509,
          .width = 1'024,
          .batch = 32,
          .epochs = 10,
          .l2 = true};
}

TEST(SolverTest, NamesAreReadBack) {
  for (const Solver solver : {Solver::kAuto, Solver::kGram, Solver::kPrimal}) {
    EXPECT_EQ(parse_name<Solver>(to_string(solver)), solver);
  }
  EXPECT_FALSE(parse_name<Solver>("Gram"));
}

TEST(SolverTest, FewImagesOfManyFeaturesGetTheGramSolver) {
  EXPECT_EQ(choose_solver(recipe(314), kPlenty), Solver::kGram);
  EXPECT_EQ(choose_solver(recipe(2'000), kPlenty), Solver::kGram);
}

TEST(SolverTest, ManyImagesGetThePrimalSolver) {
  EXPECT_EQ(choose_solver(recipe(100'000), kPlenty), Solver::kPrimal);
}

TEST(SolverTest, ALinearHeadAndPooledFeaturesGetThePrimalSolver) {
  TrainingShape linear = recipe(314);
  linear.width = 10;
  EXPECT_EQ(choose_solver(linear, kPlenty), Solver::kPrimal);
  TrainingShape pooled = recipe(1'000);
  pooled.columns = 512;
  pooled.nonzeros = pooled.rows * 512;
  EXPECT_EQ(choose_solver(pooled, kPlenty), Solver::kPrimal);
}

TEST(SolverTest, AKernelMatrixBeyondTheMemoryLimitIsNotChosen) {
  const TrainingShape shape = recipe(2'000);
  EXPECT_EQ(choose_solver(shape, gram_bytes(shape) * 5 / 2 + 10), Solver::kGram);
  EXPECT_EQ(choose_solver(shape, gram_bytes(shape) * 5 / 2 - 10), Solver::kPrimal);
}

TEST(SolverTest, SomeMemoryIsAvailable) {
  EXPECT_GT(available_memory(), std::int64_t{64} << 20);
  EXPECT_LT(available_memory(), std::int64_t{1} << 50);
}

}  // namespace
}  // namespace headstart::test
