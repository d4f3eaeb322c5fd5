// tests/pipeline/model/onnx_model_test.cpp: Debian's OpenCV DNN runs what is written and computes what the
// engine and the head compute. Other runtimes, and ONNX's own checker, do the same in tests/interop.
#include "pipeline/model/onnx_model.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <opencv2/dnn.hpp>
#include <string>
#include <vector>

#include "data/error.hpp"
#include "features/engines/registry.hpp"
#include "head/layers/softmax_cross_entropy.hpp"
#include "pipeline/process/write_file.hpp"
#include "pipeline/rows/represented_rows.hpp"
#include "tests/features/network/vgg16_layers.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

constexpr int kSize = 32;
constexpr int kImages = 3;
constexpr std::size_t kPixels = std::size_t{3} * kSize * kSize;

/// A model of two convolutions, as large as trained ones.
Model model_of(const Representation& representation, const Preprocessing& preprocessing) {
  Random random(5);
  Model model;
  model.tap = Tap{"block1_pool"};
  model.configuration.resize.size = kSize;
  model.configuration.preprocessing = preprocessing;
  model.weights.preprocessing = preprocessing;
  for (std::size_t i = 0; i < 2; ++i) {
    const NetworkLayer& layer = test::vgg16_convolutions()[i];
    const Dense dense = glorot_uniform(9L * layer.in_channels, layer.out_channels, random);
    model.weights.layers[i].kernel.assign(dense.kernel.data(), dense.kernel.data() + dense.kernel.size());
    model.weights.layers[i].bias.assign(static_cast<std::size_t>(layer.out_channels), 0.25F);
  }
  model.representation = representation;
  const MapShape shape = tap_shape(vgg16(), model.tap, kSize);
  const auto inputs =
      pooled_columns(representation.pooling, static_cast<std::int64_t>(shape.size()), shape.channels);
  model.head.layers = {glorot_uniform(inputs, 5, random), glorot_uniform(5, 3, random)};
  model.head.layers.front().bias.setConstant(0.1F);
  // Neither so large that the probabilities are 0 and 1.
  if (representation.transform == Transform::kNone) model.head.layers.front().kernel *= 0.005F;
  model.classes = {"a", "b", "c"};
  return model;
}

std::vector<std::uint8_t> made_up_pixels() {
  Random random(6);
  std::vector<std::uint8_t> pixels(kImages * kPixels);
  for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random.next() >> 56U);
  return pixels;
}

/// What predict would compute.
Matrix expected_probabilities(const Model& model, std::span<const std::uint8_t> pixels) {
  EngineOptions options;
  options.batch_size = kImages;
  options.input_size = kSize;
  options.taps = {model.tap};
  const auto engine = open_engine(model.weights, EngineKind::kNative, options);
  std::vector<float> batch(pixels.begin(), pixels.end());
  preprocess(model.configuration.preprocessing, batch);
  const std::size_t width = tap_shape(vgg16(), model.tap, kSize).size();
  std::vector<float> maps(kImages * width);
  const std::array<std::span<float>, 1> outputs{maps};
  engine->run(batch, outputs);

  StoredRows stored;
  stored.count = kImages;
  stored.shape = tap_shape(vgg16(), model.tap, kSize);
  stored.read = [&](std::span<const RowIndex> rows) {
    SparseRows read;
    read.columns = static_cast<std::int64_t>(width);
    for (const RowIndex row : rows)
      read.append_dense(std::span(maps).subspan(static_cast<std::size_t>(row) * width, width));
    return read;
  };
  Matrix probabilities = model_logits(stored, all_rows(kImages), model.representation, model.head);
  softmax(probabilities);
  return probabilities;
}

class OnnxModel : public ::testing::TestWithParam<Representation> {};

TEST_P(OnnxModel, OpencvComputesTheSameProbabilitiesFromPixels) {
  const test::ScratchFolder scratch;
  const std::vector<std::uint8_t> pixels = made_up_pixels();
  for (const Preprocessing& preprocessing : {kCaffePreprocessing, kTorchvisionPreprocessing}) {
    const Model model = model_of(GetParam(), preprocessing);
    const Matrix expected = expected_probabilities(model, pixels);
    write_onnx_model(model, scratch / "model.onnx");
    cv::dnn::Net network = cv::dnn::readNetFromONNX((scratch / "model.onnx").string());
    // OpenCV 4.6 takes floats: the node that converts is a no-op then.
    std::vector<float> image(kPixels);
    for (int i = 0; i < kImages; ++i) {
      std::copy_n(pixels.begin() + static_cast<std::ptrdiff_t>(kPixels) * i, kPixels, image.begin());
      const std::array<int, 4> shape{1, kSize, kSize, 3};
      network.setInput(cv::Mat(4, shape.data(), CV_32F, image.data()));
      const cv::Mat output = network.forward();
      ASSERT_EQ(output.total(), 3U);
      for (int c = 0; c < 3; ++c)
        EXPECT_NEAR(output.ptr<float>()[c], expected(i, c), 1e-5) << "image " << i << ", class " << c;
    }
    EXPECT_GT(std::abs(expected(0, 0) - expected(1, 0)), 1e-4) << "images alike would prove nothing";
  }
}

INSTANTIATE_TEST_SUITE_P(Representations, OnnxModel,
                         ::testing::Values(Representation{Pooling::kFlatten, Transform::kNone},
                                           Representation{Pooling::kAverage, Transform::kUnit},
                                           Representation{Pooling::kMaximum, Transform::kUnit}),
                         [](const auto& param) {
                           return std::string(to_string(param.param.pooling)) + "_" +
                                  std::string(to_string(param.param.transform));
                         });

TEST(OnnxModelFile, ReplacesAFileAndLeavesNothingBeside) {
  const test::ScratchFolder scratch;
  const Model model = model_of({}, kCaffePreprocessing);
  write_file(scratch / "model.onnx", "something else");
  write_onnx_model(model, scratch / "model.onnx");
  const std::string first = test::read_text(scratch / "model.onnx");
  EXPECT_NE(first.find(R"(["a","b","c"])"), std::string::npos);
  write_onnx_model(model, scratch / "model.onnx");
  EXPECT_TRUE(test::read_text(scratch / "model.onnx") == first);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(scratch.path())) ++files;
  EXPECT_EQ(files, 1U);
}

TEST(OnnxModelFile, SaysWhyItCannotBeWritten) {
  const test::ScratchFolder scratch;
  const Model model = model_of({}, kCaffePreprocessing);
  try {
    write_onnx_model(model, scratch / "missing" / "model.onnx");
    FAIL() << "written to a folder that does not exist";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("model.onnx"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace headstart
