// tests/features/network/weights_preprocessing_test.cpp
#include "features/network/weights_preprocessing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "data/error.hpp"
#include "tests/features/network/made_up_weights.hpp"
#include "tests/support/golden.hpp"

namespace headstart {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// block1_conv1 of the embedded weights, [3, 3, 3, 64].
const std::vector<float>& caffe_kernel() {
  static const std::vector<float> kernel =
      read_keras_weights(vgg16(), test::source_path("models/vgg16_imagenet_notop.h5")).layers[0].kernel;
  return kernel;
}

/// The first layer of made-up weights: as long as the original, but of other filters.
std::vector<float> other_kernel() { return test::made_up_weights().layers[0].kernel; }

/// The same filters for the channels in reversed order.
std::vector<float> exchanged(const std::vector<float>& kernel) {
  std::vector<float> result(kernel.size());
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    const std::size_t tap = i / 192;
    const std::size_t channel = i / 64 % 3;
    result[(tap * 3 + 2 - channel) * 64 + i % 64] = kernel[i];
  }
  return result;
}

std::vector<float> scaled(std::vector<float> kernel, float factor) {
  for (float& value : kernel) value *= factor;
  return kernel;
}

TEST(CaffeDescent, KnowsTheOriginalInBothOrders) {
  EXPECT_EQ(caffe_descent(caffe_kernel()), CaffeDescent::kBgr);
  EXPECT_EQ(caffe_descent(exchanged(caffe_kernel())), CaffeDescent::kRgb);
}

TEST(CaffeDescent, FineTuningDoesNotHideIt) {
  std::vector<float> tuned = caffe_kernel();
  const std::vector<float> noise = other_kernel();  // -0.5 to 0.5, the kernel's deviation is 0.2
  for (std::size_t i = 0; i < tuned.size(); ++i) tuned[i] += 0.2F * noise[i];
  EXPECT_EQ(caffe_descent(tuned), CaffeDescent::kBgr);
  EXPECT_EQ(caffe_descent(exchanged(tuned)), CaffeDescent::kRgb);
}

TEST(CaffeDescent, OtherFiltersAreNone) {
  EXPECT_EQ(caffe_descent(other_kernel()), CaffeDescent::kNone);
  std::vector<float> reordered(caffe_kernel().size());
  for (std::size_t i = 0; i < reordered.size(); ++i) reordered[i / 64 * 64 + 63 - i % 64] = caffe_kernel()[i];
  EXPECT_EQ(caffe_descent(reordered), CaffeDescent::kNone);
  EXPECT_EQ(caffe_descent(std::vector<float>(1728)), CaffeDescent::kNone);
  const std::vector<float> noise = other_kernel();
  std::vector<float> half_alike = caffe_kernel();  // cosine 0.6
  for (std::size_t i = 0; i < half_alike.size(); ++i) half_alike[i] = 0.5F * (half_alike[i] + noise[i]);
  EXPECT_EQ(caffe_descent(half_alike), CaffeDescent::kNone);
}

TEST(CaffeDescent, ScaledFiltersWantAnotherInput) {
  EXPECT_EQ(caffe_descent(scaled(caffe_kernel(), 255.0F)), CaffeDescent::kNone);
  EXPECT_EQ(caffe_descent(scaled(caffe_kernel(), 1.0F / 58.0F)), CaffeDescent::kNone);
  EXPECT_EQ(caffe_descent(scaled(caffe_kernel(), -1.0F)), CaffeDescent::kNone);
}

TEST(CaffeDescent, WantsTheFirstKernel) {
  EXPECT_THROW((void)caffe_descent(std::vector<float>(100)), std::invalid_argument);
}

TEST(ChoosePreprocessing, ValuesOutweighNames) {
  EXPECT_EQ(
      choose_preprocessing(caffe_kernel(), WeightsOrigin::kTorchvision, "", {vgg16(), "x"}).preprocessing,
      kCaffePreprocessing);
  EXPECT_EQ(choose_preprocessing(exchanged(caffe_kernel()), WeightsOrigin::kTorchvision, "", {vgg16(), "x"})
                .preprocessing,
            kCaffeRgbPreprocessing);
  EXPECT_EQ(choose_preprocessing(caffe_kernel(), WeightsOrigin::kUnknown, "", {vgg16(), "x"}).preprocessing,
            kCaffePreprocessing);
}

TEST(ChoosePreprocessing, NamesDecideAboutOtherValues) {
  const PreprocessingChoice torchvision =
      choose_preprocessing(other_kernel(), WeightsOrigin::kTorchvision, "", {vgg16(), "x"});
  EXPECT_EQ(torchvision.preprocessing, kTorchvisionPreprocessing);
  EXPECT_THAT(torchvision.reason, HasSubstr("PyTorch"));
  EXPECT_EQ(choose_preprocessing(other_kernel(), WeightsOrigin::kKeras, "", {vgg16(), "x"}).preprocessing,
            kCaffePreprocessing);
}

TEST(ChoosePreprocessing, WhatTheFileStatesOutweighsAll) {
  EXPECT_EQ(choose_preprocessing(caffe_kernel(), WeightsOrigin::kKeras, "torchvision", {vgg16(), "x"})
                .preprocessing,
            kTorchvisionPreprocessing);
}

TEST(ChoosePreprocessing, AStatementMayBeAnyPreprocessing) {
  const Preprocessing custom{ChannelOrder::kBgr, 1.0F / 127.5F, {1, 0.1F, 3}, {1, 0.3F, 2}};
  for (const Preprocessing& stated : {custom, kCaffeRgbPreprocessing, exchanged(kTorchvisionPreprocessing)}) {
    EXPECT_EQ(parse_preprocessing_statement(preprocessing_statement(stated)), stated);
    EXPECT_EQ(choose_preprocessing(caffe_kernel(), WeightsOrigin::kUnknown, preprocessing_statement(stated),
                                   {vgg16(), "x"})
                  .preprocessing,
              stated);
  }
  EXPECT_EQ(preprocessing_statement(kTorchvisionPreprocessing), "torchvision");
  for (const char* const bad : {"", "{", "7", R"({"channels": "rgb"})",
                                R"({"channels":"grb","scale":1,"mean":[1,2,3],"deviation":[1,1,1]})",
                                R"({"channels":"rgb","scale":0,"mean":[1,2,3],"deviation":[1,1,1]})",
                                R"({"channels":"rgb","scale":1,"mean":[1,2,1e99],"deviation":[1,1,1]})",
                                R"({"channels":"rgb","scale":1,"mean":[1,2,3],"deviation":[1,0,1]})"})
    EXPECT_FALSE(parse_preprocessing_statement(bad).has_value()) << bad;
}

TEST(ChoosePreprocessing, LayersBeforeOutweighTheValues) {
  NetworkInput input;
  input.follow({1, 1, 1}, {-123.68, -116.779, -103.939});
  EXPECT_EQ(choose_preprocessing(exchanged(caffe_kernel()), WeightsOrigin::kKeras, "", {vgg16(), "x"}, input)
                .preprocessing,
            exchanged(kCaffePreprocessing));
  input.unreadable = "Lambda 'x'";
  EXPECT_EQ(
      choose_preprocessing(caffe_kernel(), WeightsOrigin::kKeras, "", {vgg16(), "x"}, input).preprocessing,
      kCaffePreprocessing);
  EXPECT_THROW((void)choose_preprocessing(other_kernel(), WeightsOrigin::kKeras, "", {vgg16(), "x"}, input),
               Error);
}

TEST(AdoptPreprocessing, ANetworkHasOneIdentityInEitherOrderOfChannels) {
  NetworkWeights weights = test::made_up_weights();
  weights.layers[0].kernel = exchanged(weights.layers[0].kernel);
  adopt_preprocessing(weights, {exchanged(kCaffePreprocessing), "a test"});
  EXPECT_EQ(weights.preprocessing, kCaffePreprocessing);
  EXPECT_EQ(weights.identity, test::made_up_weights().identity);
  EXPECT_EQ(weights.layers[0].kernel, test::made_up_weights().layers[0].kernel);
  const Preprocessing custom{ChannelOrder::kRgb, 1.0F / 127.5F, {1, 1, 1}, {1, 1, 1}};
  adopt_preprocessing(weights, {custom, "a test"});
  EXPECT_EQ(weights.preprocessing, custom);
  EXPECT_EQ(weights.identity, test::made_up_weights().identity);
}

std::string refusal_of(WeightsOrigin origin, std::string_view stated) {
  try {
    (void)choose_preprocessing(other_kernel(), origin, stated, {vgg16(), "strange.onnx"});
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ChoosePreprocessing, WithoutAnyEvidenceItSaysWhatToWriteWhere) {
  EXPECT_THAT(refusal_of(WeightsOrigin::kUnknown, ""),
              AllOf(HasSubstr("strange.onnx"), HasSubstr("headstart.preprocessing"), HasSubstr("caffe-rgb")));
  EXPECT_THAT(refusal_of(WeightsOrigin::kKeras, "coffee"),
              AllOf(HasSubstr("headstart.preprocessing = 'coffee'"), HasSubstr("torchvision")));
}

}  // namespace
}  // namespace headstart
