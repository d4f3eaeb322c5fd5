// tests/head/layers/column_parallel_layer_test.cpp: several processes train the bits that one trains.
#include "head/layers/column_parallel_layer.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <optional>
#include <vector>

#include "head/training/trainer.hpp"
#include "tests/head/layers/sparse_matrix.hpp"
#include "tests/head/thread_group.hpp"
#include "tests/head/training/training_example.hpp"

namespace headstart::test {
namespace {

// What each of `size` processes ends with.
std::vector<TrainingResult> train_together(int size, const TrainingData& data, const TrainingOptions& options,
                                           const TrainingHooks& hooks = {},
                                           const TrainingState* resume = nullptr) {
  std::vector<TrainingResult> results(static_cast<std::size_t>(size));
  run_processes(size, [&](ProcessGroup& group) {
    TrainingOptions own = options;
    own.processes = &group;
    own.threads = 1;
    results[static_cast<std::size_t>(group.rank())] = train(data, own, hooks, resume);
  });
  return results;
}

RC_GTEST_PROP(ColumnParallelLayer, GivesTheBitsOfOneProcess, ()) {
  const TrainingExample example(*rc::gen::inRange(1, 400), *rc::gen::inRange<std::size_t>(8, 40));
  TrainingOptions options = small_training(Solver::kPrimal);
  options.hidden = *rc::gen::element(std::vector<int>{}, std::vector<int>{200}, std::vector<int>{70, 5});
  options.learning_rate = 0.02;
  options.epochs = 3;
  options.nesterov = *rc::gen::arbitrary<bool>();
  options.l2 = *rc::gen::element(0.0, 1e-3);
  const TrainingResult alone = train(example.data(), options);
  const int size = *rc::gen::inRange(1, 6);
  for (const TrainingResult& result : train_together(size, example.data(), options))
    RC_ASSERT(same(result, alone));
}

TEST(ColumnParallelLayer, BringsTheBestEpochBack) {
  const TrainingExample example;
  TrainingOptions options = small_training(Solver::kPrimal);
  options.hidden = {200};
  options.learning_rate = 0.3;
  options.epochs = 12;
  options.early_stopping = 3;
  const TrainingResult alone = train(example.data(), options);
  ASSERT_LT(alone.best_epoch, alone.history.back().epoch);
  for (const TrainingResult& result : train_together(3, example.data(), options))
    EXPECT_TRUE(same(result, alone));
}

// A checkpoint doesn't know how many processes wrote it.
TEST(ColumnParallelLayer, GoesOnFromAStateOfAnotherNumberOfProcesses) {
  const TrainingExample example;
  TrainingOptions options = small_training(Solver::kPrimal);
  options.hidden = {200, 5};
  options.epochs = 7;
  options.early_stopping = 5;
  const TrainingResult alone = train(example.data(), options);
  std::atomic<int> resumed = 0;
  TrainingHooks hooks;
  hooks.on_state = [&](const TrainingState& state) {
    if (state.history.size() != 3) return;
    ++resumed;
    EXPECT_TRUE(same(train(example.data(), options, {}, &state), alone));
    for (const TrainingResult& result : train_together(2, example.data(), options, {}, &state))
      EXPECT_TRUE(same(result, alone));
  };
  static_cast<void>(train_together(3, example.data(), options, hooks));
  EXPECT_EQ(resumed, 3);
}

TEST(ColumnParallelLayer, OneProcessStopsAll) {
  const TrainingExample example;
  const TrainingOptions options = small_training(Solver::kPrimal);
  std::vector<TrainingResult> results(3);
  run_processes(3, [&](ProcessGroup& group) {
    const std::atomic<bool> stop{group.rank() == 1};
    TrainingOptions own = options;
    own.processes = &group;
    TrainingHooks hooks;
    hooks.stop = &stop;
    results[static_cast<std::size_t>(group.rank())] = train(example.data(), own, hooks);
  });
  for (const TrainingResult& result : results) {
    EXPECT_TRUE(result.interrupted);
    EXPECT_EQ(result.history.size(), 1U);
  }
}

}  // namespace
}  // namespace headstart::test
