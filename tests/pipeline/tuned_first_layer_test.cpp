// tests/pipeline/tuned_first_layer_test.cpp: fine-tuning as Keras 3.15 recorded it
// (tests/golden/finetune.h5), and properties that need no recording.
#include "pipeline/tuned_first_layer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "features/weights.hpp"
#include "head/trainer.hpp"
#include "tests/support/golden.hpp"

namespace headstart::test {
namespace {

constexpr const char* kFile = "finetune.h5";
constexpr double kL2 = 5e-4;
constexpr double kGradientTolerance = 1e-4;  // the contract
constexpr double kLossTolerance = 1e-3;      // the contract
constexpr std::size_t kRows = 4;

const Vgg16Weights& imagenet_weights() {
  static const Vgg16Weights weights = read_keras_weights(source_path("models/vgg16_imagenet_notop.h5"));
  return weights;
}

Matrix matrix(const std::string& dataset) {
  const GoldenArray array = golden_array(kFile, dataset);
  Matrix result(static_cast<Eigen::Index>(array.shape[0]), static_cast<Eigen::Index>(array.shape[1]));
  for (std::size_t i = 0; i < array.values.size(); ++i)
    result.data()[i] = static_cast<float>(array.values[i]);
  return result;
}

/// Dense rows as the trainer takes them.
FeatureMatrix feature_rows(const std::vector<float>& dense, std::size_t rows) {
  FeatureMatrix matrix;
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
  FeatureMatrix maps = feature_rows(golden_array(kFile, "/block4_pool").floats(), kRows);
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

  [[nodiscard]] TunedFirstLayer layer(Backprop backprop) const {
    BlocksOptions blocks{.backprop = backprop, .batch_size = static_cast<int>(kRows), .threads = 2};
    TunedLayerOptions tuned;
    tuned.batch = static_cast<int>(kRows);
    tuned.threads = 2;
    return {open_trainable_blocks(imagenet_weights(), blocks), maps.view(), first_kernel, tuned};
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
  TunedFirstLayer layer = run.layer(GetParam());
  static_cast<void>(train_layers(run.data(), layer, run.head, run.options));
  std::vector<ConvolutionWeights> gradients = layer.blocks().gradients();
  const std::vector<ConvolutionWeights> weights = layer.blocks().weights();
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
  TunedFirstLayer layer = run.layer(GetParam());
  std::vector<double> losses;
  TrainingHooks hooks;
  hooks.on_step = [&](double loss) { losses.push_back(loss); };
  TrainingResult result = train_layers(run.data(), layer, run.head, run.options, hooks);
  const std::vector<double> expected = golden_array(kFile, "/step_loss").values;
  ASSERT_EQ(losses.size(), expected.size());
  for (std::size_t i = 0; i < losses.size(); ++i)
    EXPECT_NEAR(losses[i] / expected[i], 1.0, kLossTolerance) << "step " << i + 1;

  const std::vector<ConvolutionWeights> weights = layer.blocks().weights();
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

INSTANTIATE_TEST_SUITE_P(Paths, FinetuneGolden, testing::Values(Backprop::kOnednn, Backprop::kLibtorch),
                         [](const auto& param) { return std::string(to_string(param.param)); });

}  // namespace
}  // namespace headstart::test
