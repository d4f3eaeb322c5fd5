// tests/pipeline/model/exported_weights_test.cpp: what we write is the same network when it is given to
// --weights: model.h5, an export to Keras, an export to ONNX, with what states the preprocessing and without
// it.
#include <gtest/gtest.h>
#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "features/engines/registry.hpp"
#include "features/network/weights.hpp"
#include "features/network/weights_preprocessing.hpp"
#include "pipeline/model/keras_model.hpp"
#include "pipeline/model/model_file.hpp"
#include "pipeline/model/onnx_model.hpp"
#include "pipeline/process/write_file.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr int kSide = 32;

const NetworkWeights& embedded() {
  static const NetworkWeights weights =
      read_keras_weights(vgg16(), test::source_path("models/vgg16_imagenet_notop.h5"));
  return weights;
}

/// All of VGG16 with a small head.
Model whole_model(const Preprocessing& preprocessing) {
  Random random(7);
  Model model;
  model.weights = embedded();
  model.weights.preprocessing = preprocessing;
  model.configuration.preprocessing = preprocessing;
  model.configuration.weights_identity = model.weights.identity;
  model.configuration.resize.size = kSide;
  model.representation.pooling = Pooling::kAverage;
  model.head.layers = {glorot_uniform(512, 2, random)};
  model.classes = {"a", "b"};
  return model;
}

/// block5_pool of pixels that are drawn.
std::vector<float> features_by(const NetworkWeights& weights) {
  EngineOptions options;
  options.batch_size = 1;
  options.input_size = kSide;
  options.taps = {Tap{"block5_pool"}};
  const auto engine = open_engine(weights, EngineKind::kNative, options);
  Random random(8);
  std::vector<float> pixels(std::size_t{3} * kSide * kSide);
  for (float& pixel : pixels) pixel = static_cast<float>(random.next() >> 56U);
  preprocess(weights.preprocessing, pixels);
  std::vector<float> features(tap_shape(vgg16(), Tap{"block5_pool"}, kSide).size());
  const std::array<std::span<float>, 1> outputs{features};
  engine->run(pixels, outputs);
  return features;
}

void expect_the_same_network(const fs::path& file, const NetworkWeights& needed,
                             const std::vector<float>& expected, const std::string& what) {
  const NetworkWeights weights = read_weights(vgg16(), file);
  EXPECT_EQ(weights.preprocessing, needed.preprocessing) << what << ": " << weights.preprocessing_reason;
  EXPECT_EQ(weights.identity, needed.identity) << what;
  const std::vector<float> found = features_by(weights);
  const float largest = *std::max_element(expected.begin(), expected.end());
  ASSERT_GT(largest, 0.1F);
  for (std::size_t i = 0; i < expected.size(); ++i)
    ASSERT_NEAR(found[i], expected[i], 1e-5F * largest) << what << ", feature " << i;
}

/// The file as earlier versions wrote it.
void forget_statement(const fs::path& file) {
  const hid_t opened = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  EXPECT_GE(H5Adelete(opened, std::string(kPreprocessingKey).c_str()), 0);
  H5Fclose(opened);
}

void forget_statement_of_onnx(const fs::path& file) {
  std::string text = test::read_text(file);
  const std::size_t place = text.find(kPreprocessingKey);
  ASSERT_NE(place, std::string::npos);
  text[place] = 'x';  // another key of the same length
  write_file(file.string() + ".old", text);
}

TEST(ExportedWeights, EveryFileOfOursIsTheSameNetwork) {
  for (const Preprocessing& preprocessing : {kCaffePreprocessing, kTorchvisionPreprocessing}) {
    const test::ScratchFolder scratch;
    const Model model = whole_model(preprocessing);
    const std::string name = to_string(preprocessing);
    const std::vector<float> expected = features_by(model.weights);
    write_model(model, scratch / "model.h5");
    expect_the_same_network(scratch / "model.h5", model.weights, expected, name + " model.h5");
    write_keras_model_on_rgb(model, scratch / "keras.h5");
    expect_the_same_network(scratch / "keras.h5", model.weights, expected, name + " Keras");
    forget_statement(scratch / "keras.h5");
    expect_the_same_network(scratch / "keras.h5", model.weights, expected, name + " Keras, by its layers");
    write_onnx_model(model, scratch / "model.onnx");
    expect_the_same_network(scratch / "model.onnx", model.weights, expected, name + " ONNX");
    forget_statement_of_onnx(scratch / "model.onnx");
    expect_the_same_network(scratch / "model.onnx.old", model.weights, expected,
                            name + " ONNX, by its nodes");
  }
}

}  // namespace
}  // namespace headstart
