// tests/head/representation/tuned_first_layer_test.cpp: the layer over made-up lower layers, against plain
// loops in double. tests/pipeline/run/tuned_blocks_test.cpp has VGG blocks below it.
#include "head/representation/tuned_first_layer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "head/random.hpp"

namespace headstart {
namespace {

constexpr std::size_t kBatchRows = 3;
constexpr std::size_t kMapColumns = 4;  // two positions of two channels
constexpr std::size_t kHiddenUnits = 5;

/// y = relu(w o x), with a weight for each column.
class MadeUpLayers final : public LowerLayers {
 public:
  explicit MadeUpLayers(std::vector<float> weights)
      : weights_(std::move(weights)), velocities_(weights_.size()), gradients_(weights_.size()) {}

  [[nodiscard]] std::span<const float> forward(std::span<const float> rows) override {
    input_.assign(rows.begin(), rows.end());
    output_.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
      output_[i] = std::max(0.0F, rows[i] * weights_[i % weights_.size()]);
    return output_;
  }
  void backward(std::span<const float> gradient) override {
    std::fill(gradients_.begin(), gradients_.end(), 0.0);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      if (output_[i] > 0.0F)
        gradients_[i % weights_.size()] += static_cast<double>(gradient[i]) * static_cast<double>(input_[i]);
    }
  }
  void step(const SgdStep& sgd) override {
    for (std::size_t c = 0; c < weights_.size(); ++c) {
      const double gradient =
          gradients_[c] * sgd.gradient_scale + 2.0 * sgd.l2 * static_cast<double>(weights_[c]);
      velocities_[c] = static_cast<float>(sgd.momentum * static_cast<double>(velocities_[c]) -
                                          sgd.learning_rate * gradient);
      weights_[c] += velocities_[c];
    }
  }
  [[nodiscard]] double penalty(double l2) override {
    double sum = 0.0;
    for (const float weight : weights_) sum += static_cast<double>(weight) * static_cast<double>(weight);
    return l2 * sum;
  }
  [[nodiscard]] double gradient_squared_norm(double l2) override {
    double sum = 0.0;
    for (std::size_t c = 0; c < weights_.size(); ++c) {
      const double gradient = gradients_[c] + 2.0 * l2 * static_cast<double>(weights_[c]);
      sum += gradient * gradient;
    }
    return sum;
  }
  [[nodiscard]] LayerArrays weights() override { return {weights_}; }
  [[nodiscard]] LayerArrays velocities() override { return {velocities_}; }
  void restore(LayerArrays weights, LayerArrays velocities) override {
    weights_ = std::move(weights.at(0));
    velocities_ = std::move(velocities.at(0));
  }

 private:
  std::vector<float> weights_;
  std::vector<float> velocities_;
  std::vector<double> gradients_;
  std::vector<float> input_;
  std::vector<float> output_;
};

/// Rows, weights and the gradient of a loss that is linear in z.
struct MadeUpRun {
  explicit MadeUpRun(Pooling chosen = Pooling::kFlatten) : pooling(chosen) {
    Random random(3);
    const auto uniform = [&] { return random.uniform() - 0.3F; };
    rows.columns = kMapColumns;
    for (std::size_t r = 0; r < 2 * kBatchRows; ++r) {
      std::vector<float> row(kMapColumns);
      for (float& value : row) value = uniform();
      rows.append_dense(row);
    }
    for (std::size_t c = 0; c < kMapColumns; ++c) lower.push_back(0.5F + random.uniform());
    kernel = Matrix(pooling == Pooling::kFlatten ? 4 : 2, kHiddenUnits);
    dz = Matrix(kBatchRows, kHiddenUnits);
    for (Matrix* const matrix : {&kernel, &dz})
      for (Eigen::Index i = 0; i < matrix->size(); ++i) matrix->data()[i] = uniform();
  }
  [[nodiscard]] TunedFirstLayer layer() const {
    TunedLayerOptions options;
    options.channels = 2;
    options.batch = static_cast<int>(kBatchRows);
    options.pooling = pooling;
    options.fitted = fit_scale(4.0);  // halves the rows
    options.threads = 1;
    return {std::make_unique<MadeUpLayers>(lower), rows.view(), kernel, options};
  }
  /// Of row `r`: the column of the features that column `c` of the map goes to, and its share there.
  [[nodiscard]] std::size_t feature(std::size_t c) const { return pooling == Pooling::kFlatten ? c : c % 2; }
  [[nodiscard]] double share() const { return pooling == Pooling::kFlatten ? 0.5 : 0.25; }
  [[nodiscard]] double input(std::size_t r, std::size_t c) const {
    std::vector<float> row(kMapColumns);
    rows.expand(r, row);
    return static_cast<double>(row[c]);
  }
  [[nodiscard]] double map(std::size_t r, std::size_t c) const {
    return std::max(0.0, input(r, c) * static_cast<double>(lower[c]));
  }
  /// X, [rows, features].
  [[nodiscard]] Eigen::MatrixXd features(std::size_t first) const {
    Eigen::MatrixXd x = Eigen::MatrixXd::Zero(kBatchRows, kernel.rows());
    for (std::size_t r = 0; r < kBatchRows; ++r) {
      for (std::size_t c = 0; c < kMapColumns; ++c)
        x(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(feature(c))) += share() * map(first + r, c);
    }
    return x;
  }
  /// dLoss/d(weights of the lower layers), for the first batch.
  [[nodiscard]] std::vector<double> lower_gradient() const {
    const Eigen::MatrixXd dx = dz.cast<double>() * kernel.cast<double>().transpose();
    std::vector<double> gradient(kMapColumns, 0.0);
    for (std::size_t r = 0; r < kBatchRows; ++r) {
      for (std::size_t c = 0; c < kMapColumns; ++c) {
        if (map(r, c) > 0.0)
          gradient[c] +=
              share() * input(r, c) * dx(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(feature(c)));
      }
    }
    return gradient;
  }

  Pooling pooling;
  SparseRows rows;
  std::vector<float> lower;
  Matrix kernel;
  Matrix dz;
};

constexpr RowIndex kFirstRows[] = {0, 1, 2};
constexpr RowIndex kSecondRows[] = {3, 4, 5};
constexpr SgdStep kPlainStep{.learning_rate = 0.1, .momentum = 0.0, .l2 = 0.01};

class TunedFirstLayerOf : public testing::TestWithParam<Pooling> {};

TEST_P(TunedFirstLayerOf, MultipliesWhatComesOutBelow) {
  const MadeUpRun run(GetParam());
  TunedFirstLayer layer = run.layer();
  const std::vector<RowIndex> all{0, 1, 2, 3, 4, 5};
  Matrix z(6, kHiddenUnits);
  layer.forward(all, z);
  EXPECT_LT((z.topRows(kBatchRows).cast<double>() - run.features(0) * run.kernel.cast<double>()).norm(),
            1e-6);
  EXPECT_LT((z.bottomRows(kBatchRows).cast<double>() - run.features(3) * run.kernel.cast<double>()).norm(),
            1e-6);
}

TEST_P(TunedFirstLayerOf, StepsBothAlongTheirGradientsAndMultipliesTheNextBatchByTheResult) {
  MadeUpRun run(GetParam());
  TunedFirstLayer layer = run.layer();
  const Eigen::MatrixXd of_kernel =
      run.features(0).transpose() * run.dz.cast<double>() + 2.0 * kPlainStep.l2 * run.kernel.cast<double>();
  std::vector<double> of_lower = run.lower_gradient();
  double squares = of_kernel.squaredNorm();
  for (std::size_t c = 0; c < kMapColumns; ++c) {
    of_lower[c] += 2.0 * kPlainStep.l2 * static_cast<double>(run.lower[c]);
    squares += of_lower[c] * of_lower[c];
  }
  EXPECT_NEAR(layer.gradient_squared_norm(kFirstRows, run.dz, kPlainStep.l2) / squares, 1.0, 1e-5);

  Matrix z(kBatchRows, kHiddenUnits);
  layer.step(kFirstRows, run.dz, kPlainStep, kSecondRows, z);
  for (std::size_t c = 0; c < kMapColumns; ++c)
    run.lower[c] -= static_cast<float>(kPlainStep.learning_rate * of_lower[c]);
  run.kernel -= (kPlainStep.learning_rate * of_kernel).cast<float>();
  EXPECT_LT((z.cast<double>() - run.features(3) * run.kernel.cast<double>()).norm(), 1e-5);
  EXPECT_LT((layer.release_kernel() - run.kernel).norm(), 1e-5F);
}

INSTANTIATE_TEST_SUITE_P(Poolings, TunedFirstLayerOf, testing::Values(Pooling::kFlatten, Pooling::kAverage),
                         [](const auto& param) { return std::string(to_string(param.param)); });

TEST(TunedFirstLayer, GoesOnFromItsStateToTheSameBits) {
  const MadeUpRun run;
  SgdStep sgd = kPlainStep;
  sgd.momentum = 0.9;
  Matrix whole_z(kBatchRows, kHiddenUnits);
  Matrix resumed_z(kBatchRows, kHiddenUnits);
  TunedFirstLayer whole = run.layer();
  whole.step(kFirstRows, run.dz, sgd, kSecondRows, whole_z);
  whole.remember();
  TunedFirstLayer resumed = run.layer();
  resumed.set_state(whole.state());
  for (TunedFirstLayer* const layer : {&whole, &resumed})
    layer->step(kSecondRows, run.dz, sgd, kFirstRows, layer == &whole ? whole_z : resumed_z);
  EXPECT_TRUE(whole_z == resumed_z);
  for (TunedFirstLayer* const layer : {&whole, &resumed}) {
    layer->recall();
    layer->forward(kFirstRows, layer == &whole ? whole_z : resumed_z);
  }
  EXPECT_TRUE(whole_z == resumed_z) << "both remember the weights before the second step";
  EXPECT_TRUE(whole.release_kernel() == resumed.release_kernel());
}

TEST(TunedFirstLayer, RefusesRowsAndStatesOfOtherShapes) {
  const MadeUpRun run;
  TunedFirstLayer layer = run.layer();
  SparseRows wide;
  wide.columns = kMapColumns + 1;
  EXPECT_THROW(layer.use_rows(wide.view()), std::invalid_argument);
  FirstLayerState state = layer.state();
  state.arrays.pop_back();
  EXPECT_THROW(layer.set_state(state), std::invalid_argument);
}

}  // namespace
}  // namespace headstart
