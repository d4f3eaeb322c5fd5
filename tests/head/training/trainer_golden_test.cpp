// tests/head/training/trainer_golden_test.cpp: the trajectories that Keras 3.15 recorded
// (tests/golden/head_training.h5).
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "head/layers/dense_solver.hpp"
#include "head/layers/gram_solver.hpp"
#include "head/layers/primal_solver.hpp"
#include "head/layers/softmax_cross_entropy.hpp"
#include "head/training/trainer.hpp"
#include "tests/head/layers/dense_matrix.hpp"
#include "tests/head/layers/sparse_matrix.hpp"
#include "tests/support/golden.hpp"

namespace headstart::test {
namespace {

constexpr const char* kFile = "head_training.h5";
// The contract of head training; float32 sums in another order than Keras's give about 2e-7 over these 12
// steps.
constexpr double kTolerance = 1e-5;

Matrix matrix(const std::string& dataset) {
  const GoldenArray array = golden_array(kFile, dataset);
  Matrix result(static_cast<Eigen::Index>(array.shape.front()),
                static_cast<Eigen::Index>(array.shape.size() > 1 ? array.shape[1] : 1));
  for (std::size_t i = 0; i < array.values.size(); ++i) {
    result.data()[i] = static_cast<float>(array.values[i]);
  }
  return result;
}

double attribute(const std::string& group, const std::string& name) {
  return golden_attribute(kFile, group, name).front();
}

std::vector<float> floats(const Eigen::Ref<const Matrix>& values) {
  const Matrix copy = values;
  return {copy.data(), copy.data() + copy.size()};
}

TrainingOptions recorded_options(const std::string& group, bool hidden) {
  TrainingOptions options;
  options.hidden.clear();
  if (hidden) options.hidden.push_back(static_cast<int>(attribute(group, "hidden")));
  options.learning_rate = attribute(group, "learning_rate");
  options.momentum = attribute(group, "momentum");
  options.nesterov = attribute(group, "nesterov") != 0.0;
  options.l2 = attribute(group, "l2");
  options.epochs = static_cast<int>(attribute(group, "epochs"));
  options.batch = static_cast<int>(attribute(group, "batch"));
  options.label_smoothing = attribute(group, "label_smoothing");
  for (const double weight : golden_attribute(kFile, group, "class_weight")) {
    options.class_weights.push_back(static_cast<float>(weight));
  }
  options.shuffle = false;
  return options;
}

Head recorded_head(const std::string& weights, bool hidden) {
  Head head;
  for (int l = 1; l <= (hidden ? 2 : 1); ++l) {
    const std::string layer = weights + "/dense" + std::to_string(l);
    head.layers.push_back({matrix(layer + "/kernel"), matrix(layer + "/bias").transpose()});
  }
  return head;
}

// Which first layer follows the recorded run.
enum class Way { kGram, kPrimalStepByStep, kPrimalInBlocks, kDense };

std::string name_of(Way way) {
  switch (way) {
    case Way::kGram:
      return "gram";
    case Way::kPrimalStepByStep:
      return "primal";
    case Way::kPrimalInBlocks:
      return "primal_in_blocks";
    case Way::kDense:
      return "dense";
  }
  return {};
}

std::unique_ptr<FirstLayer> first_layer(Way way, const SparseRowsView& features, const DenseRows& dense,
                                        const Matrix& kernel, std::span<const RowIndex> training) {
  if (way == Way::kDense) return std::make_unique<DenseSolver>(AffineRows{.rows = dense.view()}, kernel, 0);
  if (way == Way::kGram) return std::make_unique<GramSolver>(features, kernel, training, 0);
  return std::make_unique<PrimalSolver>(features, kernel, 0, best_primal_kernel(),
                                        way == Way::kPrimalInBlocks ? Blocks::kAlways : Blocks::kNever);
}

class HeadTraining : public testing::TestWithParam<std::tuple<const char*, Way>> {};

TEST_P(HeadTraining, FollowsKerasStepByStep) {
  const std::string group = std::string("/") + std::get<0>(GetParam());
  const bool hidden = attribute(group, "hidden") > 0.0;
  const SparseMatrix features = sparse(matrix("/x"));
  const DenseRows dense = dense_rows(matrix("/x"));
  const std::vector<double> recorded_labels = golden_array(kFile, "/y").values;
  const std::vector<std::int32_t> labels(recorded_labels.begin(), recorded_labels.end());
  const std::vector<RowIndex> rows = all_rows(labels.size());
  const Head expected = recorded_head(group + "/final", hidden);
  const TrainingData data{
      features.view(), labels, rows, {}, static_cast<int>(expected.layers.back().bias.size())};

  std::vector<float> losses;
  TrainingHooks hooks;
  hooks.on_step = [&](double loss) { losses.push_back(static_cast<float>(loss)); };
  const TrainingOptions options = recorded_options(group, hidden);
  const Head initial = recorded_head(group + "/initial", hidden);
  const std::unique_ptr<FirstLayer> first =
      first_layer(std::get<1>(GetParam()), data.features, dense, initial.layers.front().kernel, rows);
  TrainingResult result = train_layers(data, *first, initial.layers, options, hooks);
  result.head.layers.front().kernel = first->release_kernel();

  const std::vector<double> step_loss = golden_array(kFile, group + "/step_loss").values;
  ASSERT_EQ(losses.size(), 12U);
  ASSERT_EQ(step_loss.size(), 12U);
  for (std::size_t step = 0; step < step_loss.size(); ++step) {
    EXPECT_NEAR(static_cast<double>(losses[step]), step_loss[step], kTolerance * step_loss[step])
        << "step " << step;
  }
  ASSERT_EQ(result.head.layers.size(), expected.layers.size());
  for (std::size_t l = 0; l < expected.layers.size(); ++l) {
    EXPECT_LE(relative_l2_error(floats(result.head.layers[l].kernel), floats(expected.layers[l].kernel)),
              kTolerance)
        << "kernel of layer " << l;
    EXPECT_LE(relative_l2_error(floats(result.head.layers[l].bias), floats(expected.layers[l].bias)),
              kTolerance)
        << "bias of layer " << l;
  }
  Matrix probabilities = predict_probabilities(result.head, features.view(), rows);
  if (std::get<1>(GetParam()) == Way::kDense) {
    probabilities = predict_logits(result.head, AffineRows{.rows = dense.view()}, rows);
    softmax(probabilities);
  }
  EXPECT_LE(relative_l2_error(floats(probabilities), floats(matrix(group + "/probabilities"))), kTolerance);
}

INSTANTIATE_TEST_SUITE_P(Recorded, HeadTraining,
                         testing::Combine(testing::Values("plain", "momentum_l2", "nesterov_l2", "linear_l2",
                                                          "class_weight", "label_smoothing"),
                                          testing::Values(Way::kGram, Way::kPrimalStepByStep,
                                                          Way::kPrimalInBlocks, Way::kDense)),
                         [](const testing::TestParamInfo<std::tuple<const char*, Way>>& recorded) {
                           return std::string(std::get<0>(recorded.param)) + "_" +
                                  name_of(std::get<1>(recorded.param));
                         });

}  // namespace
}  // namespace headstart::test
