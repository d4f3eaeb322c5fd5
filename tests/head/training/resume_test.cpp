// tests/head/training/resume_test.cpp: a run that goes on from a state between epochs ends as if nothing had
// happened.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "head/training/trainer.hpp"
#include "tests/head/layers/dense_matrix.hpp"
#include "tests/head/training/training_example.hpp"

namespace headstart::test {
namespace {

// A run, and for each of its states the run that goes on from it.
struct Runs {
  TrainingResult whole;
  std::vector<TrainingResult> resumed;
};

Runs run(const TrainingData& data, const TrainingOptions& options) {
  Runs runs;
  TrainingHooks hooks;
  hooks.wants_state = [](bool stopping) {
    EXPECT_FALSE(stopping);
    return true;
  };
  hooks.on_state = [&](const TrainingState& state) {
    runs.resumed.push_back(train(data, options, {}, &state));
  };
  runs.whole = train(data, options, hooks);
  return runs;
}

void expect_resumable(const TrainingData& data, const TrainingOptions& options) {
  const Runs runs = run(data, options);
  ASSERT_EQ(runs.resumed.size(), runs.whole.history.size() - 1);
  for (std::size_t i = 0; i < runs.resumed.size(); ++i)
    EXPECT_TRUE(same(runs.resumed[i], runs.whole)) << "after epoch " << i;
}

// Dense rows: the states are those of another first layer.
TEST(ResumeDense, EveryEpochIsAPlaceToGoOnFrom) {
  Random random(12);
  const DenseRows rows = dense_rows(random_features(34, 300, 1.0, random));
  const AffineRows affine{.rows = rows.view()};
  TrainingExample example;
  TrainingData data = example.data();
  data.features = {};
  data.dense = &affine;
  TrainingOptions options = small_training(Solver::kPrimal);
  options.early_stopping = 4;
  const auto train_dense = [&](const TrainingHooks& hooks, const TrainingState* state) {
    return train_head(data, initial_head(data.columns(), data.classes, options), options, hooks, state);
  };
  std::vector<TrainingResult> resumed;
  TrainingHooks hooks;
  hooks.on_state = [&](const TrainingState& state) { resumed.push_back(train_dense({}, &state)); };
  const TrainingResult whole = train_dense(hooks, nullptr);
  ASSERT_EQ(resumed.size(), whole.history.size() - 1);
  for (const TrainingResult& result : resumed) EXPECT_TRUE(same(result, whole));
}

class Resume : public testing::TestWithParam<Solver> {};

TEST_P(Resume, EveryEpochIsAPlaceToGoOnFrom) {
  expect_resumable(TrainingExample().data(), small_training(GetParam()));
}

TEST_P(Resume, WithDropoutMomentumOfNesterovAndNoL2) {
  TrainingOptions options = small_training(GetParam());
  options.dropout = 0.4;
  options.nesterov = true;
  options.l2 = 0.0;
  options.label_smoothing = 0.1;
  options.class_weights = {1.0F, 2.0F, 0.5F};
  expect_resumable(TrainingExample().data(), options);
}

TEST_P(Resume, EarlyStoppingKnowsItsBestWeightsAndItsCount) {
  TrainingOptions options = small_training(GetParam());
  options.epochs = 40;
  options.early_stopping = 4;
  const TrainingExample example;
  const TrainingResult whole = train(example.data(), options);
  ASSERT_LT(whole.history.size(), 40U) << "the example must stop early to test anything";
  ASSERT_EQ(whole.best_epoch + 5, static_cast<int>(whole.history.size()));
  ASSERT_GT(whole.best_epoch, 0);
  expect_resumable(example.data(), options);
}

TEST_P(Resume, ThePlateauScheduleKnowsWhereItIs) {
  TrainingOptions options = small_training(GetParam());
  options.epochs = 20;
  options.schedule = Schedule::kPlateau;
  const TrainingExample example;
  const TrainingResult whole = train(example.data(), options);
  ASSERT_LT(whole.history.back().learning_rate, options.learning_rate) << "the example must reach a plateau";
  expect_resumable(example.data(), options);
}

TEST_P(Resume, WithoutValidationAndWithALinearHead) {
  TrainingOptions options = small_training(GetParam());
  options.hidden = {};
  const TrainingExample example;
  TrainingData data = example.data();
  data.validation = {};
  expect_resumable(data, options);
}

TEST_P(Resume, ABatchLargerThanWhatTheGramSolverExpects) {
  TrainingOptions options = small_training(GetParam());
  options.batch = 300;
  options.epochs = 3;
  expect_resumable(TrainingExample(40, 420).data(), options);
}

TEST_P(Resume, AStoppedRunShowsItsStateOnceMore) {
  const TrainingExample example;
  const TrainingOptions options = small_training(GetParam());
  const std::atomic<bool> stop{true};
  std::vector<TrainingResult> resumed;
  TrainingHooks hooks;
  hooks.stop = &stop;
  hooks.wants_state = [](bool stopping) {
    EXPECT_TRUE(stopping);
    return true;
  };
  hooks.on_state = [&](const TrainingState& state) {
    resumed.push_back(train(example.data(), options, {}, &state));
  };
  EXPECT_TRUE(train(example.data(), options, hooks).interrupted);
  ASSERT_EQ(resumed.size(), 1U);
  EXPECT_FALSE(resumed[0].interrupted);
  EXPECT_TRUE(same(resumed[0], train(example.data(), options)));
}

TEST_P(Resume, AnotherSolversOrShapesStateIsRefused) {
  const TrainingExample example;
  const TrainingOptions options = small_training(GetParam());
  TrainingOptions other = options;
  other.solver = GetParam() == Solver::kGram ? Solver::kPrimal : Solver::kGram;
  TrainingOptions wider = options;
  wider.hidden = {71, 5};
  TrainingOptions shorter = options;
  shorter.epochs = 1;
  TrainingOptions watched = options;
  watched.early_stopping = 3;
  int states = 0;
  TrainingHooks hooks;
  hooks.on_state = [&](const TrainingState& state) {
    ++states;
    for (const TrainingOptions& wrong : {other, wider, shorter, watched})
      EXPECT_THROW(static_cast<void>(train(example.data(), wrong, {}, &state)), std::invalid_argument);
    TrainingState cut = state;
    cut.first.arrays[1] = cut.first.arrays[1].first(8);
    EXPECT_THROW(static_cast<void>(train(example.data(), options, {}, &cut)), std::invalid_argument);
    cut = state;
    cut.first.numbers.pop_back();
    EXPECT_THROW(static_cast<void>(train(example.data(), options, {}, &cut)), std::invalid_argument);
  };
  static_cast<void>(train(example.data(), options, hooks));
  EXPECT_EQ(states, 5);
}

TEST_P(Resume, OnRandomShapesAndOptions) {
  const Solver solver = GetParam();
  EXPECT_TRUE(rc::check("resumed = undisturbed", [solver] {
    const TrainingExample example(*rc::gen::inRange<std::int64_t>(1, 600),
                                  *rc::gen::inRange<std::size_t>(4, 60));
    TrainingOptions options = small_training(solver);
    options.hidden = {*rc::gen::inRange(1, 140)};
    options.batch = *rc::gen::inRange(1, 40);
    options.epochs = 3;
    options.learning_rate = 0.01;
    options.momentum = *rc::gen::element(0.0, 0.9);
    options.nesterov = *rc::gen::arbitrary<bool>();
    options.l2 = *rc::gen::element(0.0, 0.01);
    options.dropout = *rc::gen::element(0.0, 0.5);
    options.seed = *rc::gen::arbitrary<std::uint64_t>();
    if (*rc::gen::arbitrary<bool>()) options.early_stopping = 1;
    const Runs runs = run(example.data(), options);
    for (const TrainingResult& resumed : runs.resumed) RC_ASSERT(same(resumed, runs.whole));
  }));
}

INSTANTIATE_TEST_SUITE_P(Solvers, Resume, testing::Values(Solver::kPrimal, Solver::kGram),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

}  // namespace
}  // namespace headstart::test
