// tests/head/training/trainer_test.cpp: Keras's model.fit semantics beyond the recorded runs
// (trainer_golden_test.cpp has those).
#include "head/training/trainer.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "head/divergence.hpp"
#include "tests/head/layers/gradient_check.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

// A small data set that a head can overfit: 50 rows that a random
// linear map labels with 4 classes, the last 14 for validation.
struct TrainerExample {
  explicit TrainerExample(std::uint64_t seed = 41)
      : random(seed), dense(random_features(50, 40, 0.3, random)), matrix(sparse(dense)), rows(all_rows(50)) {
    const Matrix teacher = dense * random_matrix(40, 4, random);
    for (Eigen::Index r = 0; r < 50; ++r) {
      Eigen::Index label = 0;
      teacher.row(r).maxCoeff(&label);
      labels.push_back(static_cast<std::int32_t>(label));
    }
  }

  [[nodiscard]] TrainingData data() const {
    return {matrix.view(), labels, std::span(rows).first(36), std::span(rows).subspan(36), 4};
  }
  [[nodiscard]] TrainingData data_without_validation() const {
    return {matrix.view(), labels, std::span(rows).first(36), {}, 4};
  }

  Random random;
  Matrix dense;
  SparseMatrix matrix;
  std::vector<RowIndex> rows;
  std::vector<std::int32_t> labels;
};

TrainingOptions small_options() {
  TrainingOptions options;
  options.hidden = {9};
  options.learning_rate = 0.05;
  options.epochs = 3;
  options.batch = 10;
  options.seed = 5;
  options.threads = 1;
  return options;
}

TrainingResult train(const TrainingData& data, const TrainingOptions& options,
                     const TrainingHooks& hooks = {}) {
  return train_head(data, initial_head(data.features.columns, data.classes, options), options, hooks);
}

void expect_same_bits(const Head& a, const Head& b) {
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (std::size_t l = 0; l < a.layers.size(); ++l) EXPECT_EQ(a.layers[l], b.layers[l]) << "layer " << l;
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

// All weights of a head in a row: kernel, bias, layer by layer.
std::vector<double> flatten(const Head& head) {
  std::vector<double> values;
  for (const Dense& layer : head.layers) {
    values.insert(values.end(), layer.kernel.data(), layer.kernel.data() + layer.kernel.size());
    values.insert(values.end(), layer.bias.data(), layer.bias.data() + layer.bias.size());
  }
  return values;
}

// The mean loss of all training rows with these weights, L2 included, in double: the network as it is on
// paper.
double reference_loss(std::span<const double> weights, const Head& shapes, const TrainerExample& example,
                      const TrainingOptions& options) {
  using RowMajorDouble = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const TrainingData data = example.data();
  const auto rows = static_cast<Eigen::Index>(data.training.size());
  RowMajorDouble activation = example.dense.topRows(rows).cast<double>();
  double penalty = 0.0;
  for (std::size_t l = 0; l < shapes.layers.size(); ++l) {
    const Dense& shape = shapes.layers[l];
    const Eigen::Map<const RowMajorDouble> kernel(weights.data(), shape.kernel.rows(), shape.kernel.cols());
    weights = weights.subspan(static_cast<std::size_t>(shape.kernel.size()));
    const Eigen::Map<const Eigen::RowVectorXd> bias(weights.data(), shape.bias.size());
    weights = weights.subspan(static_cast<std::size_t>(shape.bias.size()));
    penalty += options.l2 * kernel.squaredNorm();
    if (l > 0) activation = activation.cwiseMax(0.0).eval();
    activation = ((activation * kernel).rowwise() + bias).eval();
  }
  double loss = 0.0;
  for (Eigen::Index r = 0; r < rows; ++r) {
    const auto label = static_cast<std::size_t>(data.labels[static_cast<std::size_t>(r)]);
    const double log_sum = std::log(activation.row(r).array().exp().sum());
    for (Eigen::Index c = 0; c < activation.cols(); ++c) {
      const double target = (static_cast<std::size_t>(c) == label ? 1.0 - options.label_smoothing : 0.0) +
                            options.label_smoothing / static_cast<double>(activation.cols());
      loss += static_cast<double>(options.class_weights[label]) * target * (log_sum - activation(r, c));
    }
  }
  return loss / static_cast<double>(rows) + penalty;
}

class WholeNetwork : public testing::TestWithParam<std::vector<int>> {};

TEST_P(WholeNetwork, OneStepMovesByTheGradientOfTheLoss) {
  const TrainerExample example(42);
  TrainingOptions options = small_options();
  options.hidden = GetParam();
  options.batch = 36;
  options.epochs = 1;
  options.momentum = 0.0;
  options.l2 = 0.01;
  options.label_smoothing = 0.1;
  options.class_weights = {1.0F, 2.0F, 0.5F, 1.5F};
  options.learning_rate =
      1024.0;  // large, so that W_0 - W_1 has the gradient's digits; a power of two keeps them
  TrainingData data = example.data();
  data.validation = {};
  const Head initial = initial_head(40, 4, options);

  double loss = 0.0;
  TrainingHooks hooks;
  hooks.on_step = [&](double value) { loss = value; };
  const TrainingResult result = train_head(data, initial, options, hooks);

  const std::vector<double> before = flatten(initial);
  const std::vector<double> after = flatten(result.head);
  std::vector<double> gradient;
  for (std::size_t i = 0; i < before.size(); ++i) gradient.push_back((before[i] - after[i]) / 1024.0);
  const auto reference = [&](std::span<const double> weights) {
    return reference_loss(weights, initial, example, options);
  };
  EXPECT_NEAR(loss, reference(before), 1e-6);
  const GradientCheck check = check_gradient(reference, before, gradient);
  EXPECT_LT(check.worst_error, 1e-6) << check;  // float arithmetic; a missing term would show as 1e-3 or more
  EXPECT_GT(check.largest, 0.05);
}

INSTANTIATE_TEST_SUITE_P(Hidden, WholeNetwork,
                         testing::Values(std::vector<int>{}, std::vector<int>{9}, std::vector<int>{9, 7}));

TEST(TrainHead, EpochLossIsTheMeanOfBatchLossesWeightedByTheirRows) {
  const TrainerExample example;
  std::vector<double> losses;
  TrainingHooks hooks;
  hooks.on_step = [&](double loss) { losses.push_back(loss); };
  TrainingOptions options = small_options();
  options.epochs = 1;
  const TrainingResult result = train(example.data(), options, hooks);
  ASSERT_EQ(losses.size(), 4U);  // 10 + 10 + 10 + 6 rows
  const double expected = (10 * losses[0] + 10 * losses[1] + 10 * losses[2] + 6 * losses[3]) / 36;
  EXPECT_NEAR(result.history.front().loss, expected, 1e-12);
  EXPECT_GT(std::abs(losses[3] - losses[0]), 1e-3);  // a plain mean would differ
}

TEST(TrainHead, ValidationIsOfTheWeightsAfterTheEpochWithSmoothingAndPenaltyButWithoutClassWeights) {
  const TrainerExample example;
  TrainingOptions options = small_options();
  options.epochs = 2;
  options.l2 = 0.01;
  options.label_smoothing = 0.2;
  options.class_weights = {3.0F, 1.0F, 0.5F, 2.0F};
  const TrainingData data = example.data();
  const TrainingResult result = train(data, options);

  const Matrix probabilities = predict_probabilities(result.head, data.features, data.validation);
  double loss = 0.0;
  int correct = 0;
  for (Eigen::Index r = 0; r < probabilities.rows(); ++r) {
    const std::int32_t label =
        data.labels[static_cast<std::size_t>(data.validation[static_cast<std::size_t>(r)])];
    for (Eigen::Index c = 0; c < 4; ++c) {
      loss -= ((c == label ? 0.8 : 0.0) + 0.05) * std::log(static_cast<double>(probabilities(r, c)));
    }
    Eigen::Index best = 0;
    probabilities.row(r).maxCoeff(&best);
    if (best == label) ++correct;
  }
  ASSERT_TRUE(result.history.back().val_loss);
  EXPECT_NEAR(*result.history.back().val_loss, loss / 14 + l2_penalty(result.head, options.l2), 1e-5);
  EXPECT_NEAR(*result.history.back().val_accuracy, correct / 14.0, 1e-12);
  EXPECT_GT(l2_penalty(result.head, options.l2), 0.05);
}

TEST(TrainHead, ValidationRowsDoNotChangeTheTraining) {
  const TrainerExample example;
  const TrainingResult with = train(example.data(), small_options());
  const TrainingResult without = train(example.data_without_validation(), small_options());
  expect_same_bits(with.head, without.head);
  for (std::size_t e = 0; e < 3; ++e) EXPECT_EQ(with.history[e].loss, without.history[e].loss);
  EXPECT_FALSE(without.history.back().val_loss);
  EXPECT_EQ(without.best_epoch, 2);
}

// More than the trainer measures at once: the same rows over and over have the same mean loss.
TEST(TrainHead, ManyValidationRowsAreMeasuredInParts) {
  const TrainerExample example;
  TrainingOptions options = small_options();
  options.epochs = 3;
  TrainingData data = example.data();
  const TrainingResult few = train(data, options);
  const std::vector<RowIndex> once(data.validation.begin(), data.validation.end());
  std::vector<RowIndex> many;
  while (many.size() < 9000) many.insert(many.end(), once.begin(), once.end());
  data.validation = many;
  Matrix logits;
  TrainingHooks hooks;
  hooks.on_validation = [&](const Matrix& of_rows) { logits = of_rows; };
  const TrainingResult result = train(data, options, hooks);
  for (std::size_t e = 0; e < 3; ++e) {
    EXPECT_NEAR(*result.history[e].val_loss, *few.history[e].val_loss, 1e-5);
    EXPECT_NEAR(*result.history[e].val_accuracy, *few.history[e].val_accuracy, 1e-12);
    EXPECT_NEAR(result.history[e].loss, few.history[e].loss, 1e-5);
  }
  ASSERT_EQ(logits.rows(), static_cast<Eigen::Index>(many.size()));
  const auto period = static_cast<Eigen::Index>(once.size());
  for (Eigen::Index r = period; r < logits.rows(); ++r)
    ASSERT_LT((logits.row(r) - logits.row(r % period)).norm(), 1e-4) << r;
}

TEST(TrainHead, LearnsItsTrainingRows) {
  const TrainerExample example;
  TrainingOptions options = small_options();
  options.epochs = 150;
  options.learning_rate = 0.1;
  const TrainingResult result = train(example.data(), options);
  EXPECT_GT(result.history.back().accuracy, 0.95);
  EXPECT_LT(result.history.back().loss, 0.3 * result.history.front().loss);
}

TEST(TrainHead, TheBitsDoNotDependOnTheThreadCount) {
  const TrainerExample example;
  TrainingOptions options = small_options();
  options.hidden = {200, 20};
  options.learning_rate = 0.01;
  const TrainingResult one = train(example.data(), options);
  for (const int threads : {2, 3}) {
    options.threads = threads;
    const TrainingResult more = train(example.data(), options);
    expect_same_bits(one.head, more.head);
    for (std::size_t e = 0; e < one.history.size(); ++e) {
      EXPECT_EQ(one.history[e].loss, more.history[e].loss);
      EXPECT_EQ(one.history[e].val_loss, more.history[e].val_loss);
    }
  }
}

TEST(TrainHead, OneSeedGivesOneRunAndAnotherSeedAnother) {
  const TrainerExample example;
  TrainingOptions options = small_options();
  const Head initial = initial_head(40, 4, options);
  const TrainingResult first = train_head(example.data(), initial, options);
  expect_same_bits(first.head, train_head(example.data(), initial, options).head);
  options.seed = 6;  // the same weights in another order
  EXPECT_NE(first.head.layers[0].kernel, train_head(example.data(), initial, options).head.layers[0].kernel);
  options.shuffle = false;
  EXPECT_NE(first.head.layers[0].kernel, train_head(example.data(), initial, options).head.layers[0].kernel);
}

TEST(TrainHead, EarlyStoppingGivesBackTheWeightsOfTheBestEpoch) {
  const TrainerExample example;
  TrainingOptions options = small_options();
  options.learning_rate = 0.1;
  options.epochs = 100;
  options.early_stopping = 3;
  const TrainingResult stopped = train(example.data(), options);
  ASSERT_EQ(stopped.history.size(), static_cast<std::size_t>(stopped.best_epoch) + 4);
  ASSERT_LT(stopped.history.size(), 100U);
  ASSERT_GT(stopped.best_epoch, 0);
  const double best = *stopped.history[static_cast<std::size_t>(stopped.best_epoch)].val_loss;
  for (const EpochResult& epoch : stopped.history) EXPECT_GE(*epoch.val_loss, best);

  options.early_stopping.reset();
  options.epochs = stopped.best_epoch + 1;
  expect_same_bits(stopped.head, train(example.data(), options).head);
}

TEST(TrainHead, EarlyStoppingThatNeverStopsKeepsTheBestEpochToo) {
  const TrainerExample example;
  TrainingOptions options = small_options();
  options.learning_rate = 0.1;
  options.epochs = 40;
  options.early_stopping = 1000;
  const TrainingResult result = train(example.data(), options);
  ASSERT_EQ(result.history.size(), 40U);
  ASSERT_LT(result.best_epoch, 39);
  options.early_stopping.reset();
  options.epochs = result.best_epoch + 1;
  expect_same_bits(result.head, train(example.data(), options).head);
}

TEST(TrainHead, TheScheduleReachesEveryEpoch) {
  const TrainerExample example;
  TrainingOptions options = small_options();
  options.epochs = 4;
  options.schedule = Schedule::kStep;
  const TrainingResult result = train(example.data(), options);
  EXPECT_NEAR(result.history[1].learning_rate, 0.05, 1e-15);
  EXPECT_NEAR(result.history[2].learning_rate, 0.005, 1e-15);
  EXPECT_NEAR(result.history[3].learning_rate, 0.0005, 1e-15);
  options.schedule = Schedule::kConstant;
  EXPECT_NE(train(example.data(), options).head.layers[0].kernel, result.head.layers[0].kernel);
}

TEST(TrainHead, StopsAfterAWholeEpochWhenAsked) {
  const TrainerExample example;
  std::atomic<bool> stop{false};
  TrainingHooks hooks;
  hooks.stop = &stop;
  hooks.on_epoch = [&](const EpochResult& epoch) { stop = epoch.epoch == 1; };
  TrainingOptions options = small_options();
  options.epochs = 10;
  const TrainingResult result = train(example.data(), options, hooks);
  EXPECT_TRUE(result.interrupted);
  ASSERT_EQ(result.history.size(), 2U);
  EXPECT_EQ(result.best_epoch, 1);
  stop = true;
  hooks.on_epoch = nullptr;
  options.epochs = 1;
  EXPECT_FALSE(train(example.data(), options, hooks).interrupted);  // there was nothing left to do
}

TEST(TrainHead, DivergenceIsAnErrorThatNamesEpochAndStep) {
  const TrainerExample example;
  TrainingOptions options = small_options();
  options.learning_rate = 1e30;
  const std::string message = message_of([&] { static_cast<void>(train(example.data(), options)); });
  EXPECT_NE(message.find("epoch 1, step "), std::string::npos) << message;
  EXPECT_NE(message.find("learning rate 1e+30"), std::string::npos) << message;
  EXPECT_THROW(static_cast<void>(train(example.data(), options)), Divergence);
}

TEST(TrainHead, EndsInTheMiddleOfAnEpochWhenCancelled) {
  const TrainerExample example;
  int steps = 0;
  TrainingHooks hooks;
  hooks.on_step = [&](double) { ++steps; };
  hooks.cancellation = Cancellation([&] { return steps == 1; });
  EXPECT_THROW(static_cast<void>(train(example.data(), small_options(), hooks)), Cancelled);
  EXPECT_EQ(steps, 1);
}

TEST(TrainHead, ThePenaltyOfAnInitialHeadIsAsExpected) {
  TrainingOptions options;
  options.hidden = {300, 200};
  EXPECT_NEAR(initial_l2_penalty(400, 10, options), l2_penalty(initial_head(400, 10, options), options.l2),
              0.01 * initial_l2_penalty(400, 10, options));
}

struct Refusal {
  const char* name;
  std::function<void(TrainingData&, Head&, TrainingOptions&)> spoil;
  const char* message;
};

class TrainHeadRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(TrainHeadRefuses, WhatDoesNotFitByName) {
  const TrainerExample example;
  TrainingOptions options = small_options();
  TrainingData data = example.data();
  Head initial = initial_head(40, 4, options);
  GetParam().spoil(data, initial, options);
  try {
    static_cast<void>(train_head(data, initial, options));
    FAIL() << "it was taken";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find(GetParam().message), std::string::npos) << error.what();
  }
}

const std::vector<RowIndex> kBeyond{3, 50};

INSTANTIATE_TEST_SUITE_P(
    Inputs, TrainHeadRefuses,
    testing::Values(
        Refusal{"no_training_row", [](auto& data, auto&, auto&) { data.training = {}; }, "no training row"},
        Refusal{"labels", [](auto& data, auto&, auto&) { data.labels = data.labels.first(49); }, "49 labels"},
        Refusal{"label_range",
                [](auto& data, auto& head, auto& options) {
                  data.classes = 3;
                  head = initial_head(40, 3, options);
                },
                "label 3 of row"},
        Refusal{"training_row", [](auto& data, auto&, auto&) { data.training = kBeyond; }, "training row 50"},
        Refusal{"validation_row", [](auto& data, auto&, auto&) { data.validation = kBeyond; },
                "validation row 50"},
        Refusal{"layers", [](auto&, auto& head, auto&) { head.layers.pop_back(); }, "1 layers, needed 2"},
        Refusal{"shape", [](auto&, auto& head, auto&) { head.layers[1].kernel.setZero(9, 5); },
                "layer 1 is 9 x 5"},
        Refusal{"bias", [](auto&, auto& head, auto&) { head.layers[0].bias.setZero(8); }, "with 8 biases"},
        Refusal{"epochs", [](auto&, auto&, auto& options) { options.epochs = 0; }, "0 epochs"},
        Refusal{"batch", [](auto&, auto&, auto& options) { options.batch = 0; }, "a batch of 0"},
        Refusal{"smoothing", [](auto&, auto&, auto& options) { options.label_smoothing = 1.5; },
                "label smoothing"},
        Refusal{"weights", [](auto&, auto&, auto& options) { options.class_weights = {1.0F}; },
                "1 class weights"},
        Refusal{"patience",
                [](auto& data, auto&, auto& options) {
                  data.validation = {};
                  options.early_stopping = 2;
                },
                "no validation row"}),
    [](const testing::TestParamInfo<Refusal>& refusal) { return std::string(refusal.param.name); });

TEST(InitialHead, HasALayerPerWidthFromSeedsOfTheirOwn) {
  TrainingOptions options = small_options();
  options.hidden = {6, 6};
  const Head head = initial_head(6, 3, options);
  ASSERT_EQ(head.layers.size(), 3U);
  EXPECT_EQ(head.layers[2].kernel.rows(), 6);
  EXPECT_EQ(head.layers[2].kernel.cols(), 3);
  EXPECT_NE(head.layers[0].kernel, head.layers[1].kernel);
  expect_same_bits(head, initial_head(6, 3, options));
  options.seed = 99;
  EXPECT_NE(initial_head(6, 3, options).layers[0].kernel, head.layers[0].kernel);
}

TEST(TrainerTest, AHeadThatNoEpochBeatsComesBack) {
  const TrainerExample example;
  TrainingOptions options = small_options();
  options.early_stopping = options.epochs;
  const Head initial = initial_head(40, 4, options);
  for (const Solver solver : {Solver::kPrimal, Solver::kGram}) {
    options.solver = solver;
    options.to_beat = {.loss = 0.0, .accuracy = 0.0};
    const TrainingResult kept = train_head(example.data(), initial, options);
    EXPECT_EQ(kept.best_epoch, -1);
    EXPECT_EQ(kept.history.size(), static_cast<std::size_t>(options.epochs));
    EXPECT_TRUE(kept.head.layers[1] == initial.layers[1]);
    EXPECT_LT((kept.head.layers[0].kernel - initial.layers[0].kernel).norm(), 1e-6);
    options.to_beat = {.loss = 1e9, .accuracy = 0.0};
    EXPECT_GE(train_head(example.data(), initial, options).best_epoch, 0);
  }
  options.early_stopping.reset();
  EXPECT_THROW(static_cast<void>(train_head(example.data(), initial, options)), std::invalid_argument);
}

TEST(TrainerTest, AnEpochThatLosesAccuracyIsNotBetterWhateverItsLoss) {
  const TrainerExample example;
  TrainingOptions options = small_options();
  options.learning_rate = 0.1;
  options.epochs = 20;
  options.early_stopping = options.epochs;
  const TrainingResult free = train(example.data(), options);
  double most = 0.0;
  double least = 1.0;
  for (const EpochResult& epoch : free.history) {
    most = std::max(most, *epoch.val_accuracy);
    least = std::min(least, *epoch.val_accuracy);
  }
  ASSERT_LT(least, most);
  const auto best_with = [&](double accuracy) {
    options.to_beat = {.loss = 1e9, .accuracy = accuracy};
    return train(example.data(), options).best_epoch;
  };
  const int kept = best_with(most);
  ASSERT_GE(kept, 0);
  EXPECT_EQ(*free.history[static_cast<std::size_t>(kept)].val_accuracy, most);
  EXPECT_EQ(best_with(most + 1e-3), -1);
  EXPECT_EQ(best_with(0.0), free.best_epoch);
}

TEST(TrainerTest, TheLearningRateWarmsUpStepByStep) {
  const TrainerExample example;
  TrainingOptions options = small_options();
  options.momentum = 0.0;
  options.l2 = 0.0;
  options.shuffle = false;
  options.epochs = 1;
  options.batch = 36;  // one step an epoch
  options.solver = Solver::kPrimal;
  const Head initial = initial_head(40, 4, options);
  const auto moved = [&](double warm_up) {
    options.warm_up = warm_up;
    const TrainingResult result = train_head(example.data(), initial, options);
    return (result.head.layers[1].kernel - initial.layers[1].kernel).norm();
  };
  EXPECT_NEAR(moved(4.0) / moved(0.0), 0.25, 1e-4);
  EXPECT_NEAR(moved(1.0) / moved(0.0), 1.0, 1e-6);
  options.warm_up = -1.0;
  EXPECT_THROW(static_cast<void>(train_head(example.data(), initial, options)), std::invalid_argument);
}

}  // namespace
}  // namespace headstart::test
