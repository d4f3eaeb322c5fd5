// tests/pipeline/run/tuned_blocks_test.cpp: fine-tuning as Keras 3.15 recorded it
// (tests/golden/finetune.h5), and properties that need no recording.
#include "pipeline/run/tuned_blocks.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "features/blocks/registry.hpp"
#include "features/network/known_networks.hpp"
#include "features/network/weights.hpp"
#include "head/layers/softmax_cross_entropy.hpp"
#include "head/layers/upper_layers.hpp"
#include "head/random.hpp"
#include "head/representation/tuned_first_layer.hpp"
#include "head/training/trainer.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/nightly.hpp"

namespace headstart::test {
namespace {

constexpr const char* kFile = "finetune.h5";
constexpr double kL2 = 5e-4;
constexpr double kGradientTolerance = 1e-4;  // the contract
constexpr double kLossTolerance = 1e-3;      // the contract
constexpr std::size_t kRows = 4;

const NetworkWeights& imagenet_weights() {
  static const NetworkWeights weights =
      read_keras_weights(vgg16(), source_path("models/vgg16_imagenet_notop.h5"));
  return weights;
}

/// A layer, and the VGG blocks that it trains.
struct Tuned {
  TrainableBlocks* blocks;
  TunedFirstLayer layer;
};

/// @param rows    the input of the blocks
/// @param kernel  W of the first dense layer
Tuned tune(Backprop backprop, const BlocksOptions& options, const SparseRowsView& rows, const Matrix& kernel,
           const TunedLayerOptions& layer, double l2_sp = 0.0) {
  std::unique_ptr<TrainableBlocks> blocks = open_trainable_blocks(imagenet_weights(), backprop, options);
  TrainableBlocks* const opened = blocks.get();
  return {opened, {lower_layers(std::move(blocks), {.rate = 1.0, .l2_sp = l2_sp}), rows, kernel, layer}};
}

Matrix matrix(const std::string& dataset) {
  const GoldenArray array = golden_array(kFile, dataset);
  Matrix result(static_cast<Eigen::Index>(array.shape[0]), static_cast<Eigen::Index>(array.shape[1]));
  for (std::size_t i = 0; i < array.values.size(); ++i)
    result.data()[i] = static_cast<float>(array.values[i]);
  return result;
}

/// Dense rows as the trainer takes them.
SparseRows feature_rows(const std::vector<float>& dense, std::size_t rows) {
  SparseRows matrix;
  const std::size_t columns = dense.size() / rows;
  matrix.columns = static_cast<std::int64_t>(columns);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      const float value = dense[r * columns + c];
      if (value == 0.0F) continue;
      matrix.indices.push_back(static_cast<std::int32_t>(c));
      matrix.values.push_back(value);
    }
    matrix.indptr.push_back(static_cast<std::int64_t>(matrix.values.size()));
  }
  return matrix;
}

/// The run that Keras recorded.
struct Recorded {
  SparseRows maps = feature_rows(golden_array(kFile, "/block4_pool").floats(), kRows);
  std::vector<std::int32_t> labels;
  std::vector<RowIndex> rows = {0, 1, 2, 3};
  Matrix first_kernel = matrix("/initial/dense1/kernel");
  std::vector<Dense> head;  // the first kernel is the layer's
  TrainingOptions options;

  Recorded() {
    for (const double label : golden_array(kFile, "/y").values)
      labels.push_back(static_cast<std::int32_t>(label));
    const Matrix second_kernel = matrix("/initial/dense2/kernel");
    head = {{Matrix(), RowVector::Zero(first_kernel.cols())},
            {second_kernel, RowVector::Zero(second_kernel.cols())}};
    options.hidden = {16};
    options.learning_rate = 2e-5;
    options.momentum = 0.9;
    options.l2 = kL2;
    options.batch = static_cast<int>(kRows);
    options.epochs = 5;  // of one step each
    options.shuffle = false;
  }

  [[nodiscard]] Tuned tuned(Backprop backprop) const {
    const BlocksOptions blocks{.batch_size = static_cast<int>(kRows), .threads = 2};
    TunedLayerOptions options_of_layer;
    options_of_layer.batch = static_cast<int>(kRows);
    options_of_layer.threads = 2;
    return tune(backprop, blocks, maps.view(), first_kernel, options_of_layer);
  }
  [[nodiscard]] TrainingData data() const { return {maps.view(), labels, rows, {}, 3, nullptr}; }
};

/// [:, :, :4, :4] of a kernel, [:64] of a bias, as the recording has them.
std::vector<float> slice(const ConvolutionWeights& layer, bool kernel, std::size_t channels) {
  if (!kernel) return {layer.bias.begin(), layer.bias.begin() + 64};
  std::vector<float> result;
  for (std::size_t tap = 0; tap < 9; ++tap) {
    for (std::size_t in = 0; in < 4; ++in) {
      for (std::size_t out = 0; out < 4; ++out)
        result.push_back(layer.kernel[(tap * channels + in) * channels + out]);
    }
  }
  return result;
}

double norm(const std::vector<float>& values) {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum);
}

class FinetuneGolden : public testing::TestWithParam<Backprop> {
 protected:
  void SetUp() override {
    for (const BackpropAvailability& path : list_backprops()) {
      if (path.backprop == GetParam() && !path.available) GTEST_SKIP() << path.detail;
    }
  }
};

TEST_P(FinetuneGolden, FirstGradientsAreKerass) {
  Recorded run;
  run.options.epochs = 1;
  run.options.learning_rate = 0.0;  // the weights stay, and the gradients are those of the first step
  Tuned tuned = run.tuned(GetParam());
  static_cast<void>(train_layers(run.data(), tuned.layer, run.head, run.options));
  std::vector<ConvolutionWeights> gradients = tuned.blocks->gradients();
  const std::vector<ConvolutionWeights> weights = tuned.blocks->weights();
  ASSERT_EQ(gradients.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string name = "block5_conv" + std::to_string(i + 1);
    for (std::size_t k = 0; k < gradients[i].kernel.size(); ++k)
      gradients[i].kernel[k] += static_cast<float>(2.0 * kL2) * weights[i].kernel[k];
    for (const bool kernel : {true, false}) {
      const std::string what = name + (kernel ? "/kernel" : "/bias");
      const std::vector<float>& own = kernel ? gradients[i].kernel : gradients[i].bias;
      const double expected = golden_array(kFile, "/first_gradient_norm/" + what).values.front();
      EXPECT_NEAR(norm(own) / expected, 1.0, kGradientTolerance) << what;
      EXPECT_LE(relative_l2_error(slice(gradients[i], kernel, 512),
                                  golden_array(kFile, "/first_gradient_slice/" + what).floats()),
                kGradientTolerance)
          << what;
    }
  }
}

TEST_P(FinetuneGolden, FiveStepsAreKerass) {
  const Recorded run;
  Tuned tuned = run.tuned(GetParam());
  std::vector<double> losses;
  TrainingHooks hooks;
  hooks.on_step = [&](double loss) { losses.push_back(loss); };
  TrainingResult result = train_layers(run.data(), tuned.layer, run.head, run.options, hooks);
  const std::vector<double> expected = golden_array(kFile, "/step_loss").values;
  ASSERT_EQ(losses.size(), expected.size());
  for (std::size_t i = 0; i < losses.size(); ++i)
    EXPECT_NEAR(losses[i] / expected[i], 1.0, kLossTolerance) << "step " << i + 1;

  const std::vector<ConvolutionWeights> weights = tuned.blocks->weights();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::string name = "block5_conv" + std::to_string(i + 1);
    const ConvolutionWeights& initial = imagenet_weights().layers[10 + i];
    for (const bool kernel : {true, false}) {
      const std::string what = name + (kernel ? "/kernel" : "/bias");
      const std::vector<float>& now = kernel ? weights[i].kernel : weights[i].bias;
      const std::vector<float>& then = kernel ? initial.kernel : initial.bias;
      std::vector<float> moved(now.size());
      for (std::size_t k = 0; k < now.size(); ++k) moved[k] = now[k] - then[k];
      const double update = golden_array(kFile, "/update_norm/" + what).values.front();
      EXPECT_NEAR(norm(moved) / update, 1.0, kLossTolerance) << what;
      EXPECT_LE(relative_l2_error(slice(weights[i], kernel, 512),
                                  golden_array(kFile, "/final_slice/" + what).floats()),
                kGradientTolerance)
          << what;
    }
  }
  const std::vector<float> last = golden_array(kFile, "/final_slice/dense2/kernel").floats();
  EXPECT_LE(relative_l2_error(result.head.layers[1].kernel.data(), last), kGradientTolerance);
}

INSTANTIATE_TEST_SUITE_P(Paths, FinetuneGolden,
                         testing::Values(Backprop::kNative, Backprop::kOnednn, Backprop::kLibtorch),
                         [](const auto& param) { return std::string(to_string(param.param)); });

// A run on made-up maps of a small input: block4_pool is 2 x 2 x 512, block5_pool 512 features.
struct Small {
  static constexpr int kInput = 32;
  static constexpr std::size_t kImages = 14;
  SparseRows maps;
  std::vector<std::int32_t> labels;
  std::vector<RowIndex> rows;
  Representation representation;
  FittedTransform fitted;
  Head head;
  TrainingOptions options;

  explicit Small(Representation wanted = {}) : representation(wanted) {
    Random random(17);
    std::vector<float> dense(kImages * 2 * 2 * 512);
    for (float& value : dense) value = random.uniform() < 0.7F ? 0.0F : 200.0F * random.uniform();
    maps = feature_rows(dense, kImages);
    for (std::size_t i = 0; i < kImages; ++i) {
      labels.push_back(static_cast<std::int32_t>(i % 3));
      rows.push_back(static_cast<RowIndex>(i));
    }
    options.hidden = {6};
    options.learning_rate = 1e-3;
    options.l2 = 1e-4;
    options.batch = 4;
    options.epochs = 4;
    options.solver = Solver::kPrimal;
    fitted.transform = representation.transform;
    if (fitted.transform == Transform::kScale) fitted.scale = 0.01F;
    if (fitted.transform == Transform::kStandardize) {
      fitted.mean = Eigen::RowVectorXd::Constant(512, 3.0);
      fitted.inverse_deviation = RowVector::Constant(512, 0.1F);
    }
    head = initial_head(512, 3, options);
  }

  [[nodiscard]] Tuned tuned(double l2_sp = 0.0) const {
    TunedLayerOptions options_of_layer;
    options_of_layer.batch = options.batch;
    options_of_layer.pooling = representation.pooling;
    options_of_layer.fitted = fitted;
    options_of_layer.threads = 2;
    return tune(Backprop::kNative, {.input_size = kInput, .batch_size = options.batch, .threads = 2},
                maps.view(), head.layers.front().kernel, options_of_layer, l2_sp);
  }
  [[nodiscard]] std::vector<Dense> layers() const {
    std::vector<Dense> result = head.layers;
    result.front().kernel.resize(0, 0);
    return result;
  }
  [[nodiscard]] TrainingData data() const {
    const std::span<const RowIndex> all(rows);
    return {maps.view(), labels, all.first(10), all.subspan(10), 3, nullptr};
  }
};

std::vector<float> all_weights(Tuned& tuned, const TrainingResult& result) {
  std::vector<float> all;
  for (const ConvolutionWeights& weights : tuned.blocks->weights()) {
    all.insert(all.end(), weights.kernel.begin(), weights.kernel.end());
    all.insert(all.end(), weights.bias.begin(), weights.bias.end());
  }
  const Matrix first = tuned.layer.release_kernel();
  all.insert(all.end(), first.data(), first.data() + first.size());
  for (const Dense& dense : result.head.layers) {
    all.insert(all.end(), dense.kernel.data(), dense.kernel.data() + dense.kernel.size());
    all.insert(all.end(), dense.bias.data(), dense.bias.data() + dense.bias.size());
  }
  return all;
}

class TunedRepresentation : public testing::TestWithParam<Representation> {};

// The whole graph: a short step along the gradient lowers the loss by its length times the gradient's,
// squared.
TEST_P(TunedRepresentation, AStepLowersTheLossByTheGradientsSquare) {
  Small run(GetParam());
  TrainingData data = run.data();
  data.training = std::span(run.rows).first(4);
  data.validation = data.training;
  run.options.momentum = 0.0;
  run.options.shuffle = false;
  run.options.epochs = 1;
  Tuned probe = run.tuned(1e-3);
  const std::vector<Dense> layers = run.layers();
  UpperLayers upper(layers);
  Matrix z(4, 6);
  probe.layer.forward(data.training, z);
  Matrix logits = upper.forward(z);
  static_cast<void>(softmax_cross_entropy(logits, std::span(run.labels).first(4), {}));
  const Matrix dz = upper.backward(logits);
  const double squares = upper.gradient_squared_norm(run.options.l2) +
                         probe.layer.gradient_squared_norm(data.training, dz, run.options.l2);
  ASSERT_GT(squares, 0.0);
  run.options.learning_rate =
      5e-4 / squares;  // lowers the loss by 0.0005: more than rounding, less than it bends
  double before = 0.0;
  TrainingHooks hooks;
  hooks.on_step = [&](double loss) { before = loss; };
  Tuned tuned = run.tuned(1e-3);
  const TrainingResult result = train_layers(data, tuned.layer, layers, run.options, hooks);
  EXPECT_NEAR((before - result.history.front().val_loss.value()) / 5e-4, 1.0, 0.1);
}

TEST_P(TunedRepresentation, AClippedStepIsAsLongAsAsked) {
  Small run(GetParam());
  TrainingData data = run.data();
  data.training = std::span(run.rows).first(4);
  data.validation = {};
  run.options.momentum = 0.0;
  run.options.epochs = 1;
  run.options.clip_norm = 1e-2;
  const auto weights_after = [&](double learning_rate) {
    run.options.learning_rate = learning_rate;
    Tuned tuned = run.tuned(1e-3);
    const TrainingResult result = train_layers(data, tuned.layer, run.layers(), run.options);
    return all_weights(tuned, result);
  };
  // One dot of float32 is no obstacle: the step is 0.1 long, in weights of 0.01.
  const std::vector<float> before = weights_after(0.0);
  const std::vector<float> after = weights_after(10.0);
  double moved = 0.0;
  for (std::size_t i = 0; i < before.size(); ++i)
    moved += std::pow(static_cast<double>(after[i]) - static_cast<double>(before[i]), 2);
  EXPECT_NEAR(std::sqrt(moved), 0.1, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(All, TunedRepresentation,
                         testing::Values(Representation{Pooling::kFlatten, Transform::kNone},
                                         Representation{Pooling::kMaximum, Transform::kUnit},
                                         Representation{Pooling::kAverage, Transform::kStandardize},
                                         Representation{Pooling::kFlatten, Transform::kScale}));

TEST(TunedFirstLayerTest, GoesOnFromItsStateToTheSameBits) {
  HEADSTART_ONLY_NIGHTLY();
  Small run({Pooling::kMaximum, Transform::kUnit});
  run.options.early_stopping = 3;
  run.options.to_beat = {.loss = 1e9, .accuracy = 0.0};
  Tuned whole = run.tuned(1e-3);
  Tuned resumed = run.tuned(1e-3);
  TrainingHooks hooks;
  std::vector<TrainingResult> results;
  hooks.on_state = [&](const TrainingState& state) {
    if (state.history.size() == 2)
      results.push_back(train_layers(run.data(), resumed.layer, run.layers(), run.options, {}, &state));
  };
  const TrainingResult result = train_layers(run.data(), whole.layer, run.layers(), run.options, hooks);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results.front().best_epoch, result.best_epoch);
  EXPECT_EQ(all_weights(resumed, results.front()), all_weights(whole, result));
}

TEST(TunedFirstLayerTest, RowsReadInOneWindowGiveTheBitsOfRowsInMemory) {
  const Small run;
  Tuned in_memory = run.tuned();
  const TrainingResult expected = train_layers(run.data(), in_memory.layer, run.layers(), run.options);
  const std::vector<std::int32_t> chunks(Small::kImages, 0);
  const RowSource source{run.maps.columns, chunks, Small::kImages, [&](std::span<const RowIndex> wanted) {
                           SparseRows part;
                           part.columns = run.maps.columns;
                           for (const RowIndex row : wanted) {
                             const auto indices = run.maps.view().row_indices(row);
                             const auto values = run.maps.view().row_values(row);
                             part.indices.insert(part.indices.end(), indices.begin(), indices.end());
                             part.values.insert(part.values.end(), values.begin(), values.end());
                             part.indptr.push_back(static_cast<std::int64_t>(part.values.size()));
                           }
                           return part;
                         }};
  TrainingData data = run.data();
  data.features = {};
  data.source = &source;
  Tuned read = run.tuned();
  const TrainingResult found = train_layers(data, read.layer, run.layers(), run.options);
  EXPECT_EQ(all_weights(read, found), all_weights(in_memory, expected));
}

TEST(TunedFirstLayerTest, RecallsTheBestWeights) {
  Small run;
  run.options.early_stopping = run.options.epochs;
  run.options.to_beat = {.loss = 0.0, .accuracy = 0.0};  // nothing is better
  Tuned tuned = run.tuned();
  const TrainingResult result = train_layers(run.data(), tuned.layer, run.layers(), run.options);
  EXPECT_EQ(result.best_epoch, -1);
  for (std::size_t l = 0; l < 3; ++l)
    EXPECT_EQ(tuned.blocks->weights()[l].kernel, imagenet_weights().layers[10 + l].kernel);
  EXPECT_TRUE(tuned.layer.release_kernel() == run.head.layers.front().kernel);
}

}  // namespace
}  // namespace headstart::test
