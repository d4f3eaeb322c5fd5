// tests/features/network/preprocessing_test.cpp
#include "features/network/preprocessing.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace headstart {
namespace {

TEST(Preprocessing, CaffeIsBgrMinusTheMean) {
  std::vector<float> pixels{10.0F, 20.0F, 30.0F, 255.0F, 0.0F, 128.0F};
  preprocess(kCaffePreprocessing, pixels);
  const std::vector<float> expected{30.0F - 103.939F,  20.0F - 116.779F, 10.0F - 123.68F,
                                    128.0F - 103.939F, 0.0F - 116.779F,  255.0F - 123.68F};
  EXPECT_EQ(pixels, expected);
}

TEST(Preprocessing, TorchvisionsKeepsRgbAndScales) {
  std::vector<float> pixels{255.0F, 0.0F, 51.0F};
  preprocess(kTorchvisionPreprocessing, pixels);
  EXPECT_NEAR(pixels[0], (1.0 - 0.485) / 0.229, 1e-6);
  EXPECT_NEAR(pixels[1], (0.0 - 0.456) / 0.224, 1e-6);
  EXPECT_NEAR(pixels[2], (0.2 - 0.406) / 0.225, 1e-6);
}

TEST(Preprocessing, CaffeRgbOnlyTakesTheMean) {
  std::vector<float> pixels{10.0F, 20.0F, 30.0F};
  preprocess(kCaffeRgbPreprocessing, pixels);
  EXPECT_EQ(pixels, (std::vector<float>{-113.0F, -97.0F, -74.0F}));
}

TEST(Preprocessing, SomeHaveSeveralNames) {
  EXPECT_EQ(parse_preprocessing("imagenet"), kTorchvisionPreprocessing);
  EXPECT_EQ(parse_preprocessing("inception"), kTfPreprocessing);
  EXPECT_EQ(parse_preprocessing("openai"), kClipPreprocessing);
}

TEST(Preprocessing, IsReadFromNumbers) {
  EXPECT_EQ(parse_preprocessing("mean=0.485,0.456,0.406,std=0.229,0.224,0.225,scale=1/255,order=rgb"),
            kTorchvisionPreprocessing);
  EXPECT_EQ(parse_preprocessing("order=bgr,mean=103.939,116.779,123.68"), kCaffePreprocessing);
  EXPECT_EQ(parse_preprocessing("std=2"), (Preprocessing{ChannelOrder::kRgb, 1.0F, {}, {2.0F, 2.0F, 2.0F}}));
  for (const char* const bad : {"",        "mean",      "mean=",     "mean=1,2",  "mean=1,2,3,4",
                                "mean=a",  "mean=inf",  "std=0",     "std=-1",    "std=1e-42",
                                "scale=0", "scale=1/0", "scale=1,2", "order=red", "mean=1,mean=2",
                                "gamma=1", "1,mean=2",  "mean=1,",   "mean=1 ",   "=1"}) {
    EXPECT_FALSE(parse_preprocessing(bad)) << bad;
  }
}

TEST(Preprocessing, KnownOnesHaveNames) {
  for (const char* const name : {"caffe", "caffe-rgb", "torchvision", "tf", "unit", "clip"}) {
    const auto preprocessing = parse_preprocessing(name);
    ASSERT_TRUE(preprocessing) << name;
    EXPECT_EQ(to_string(*preprocessing), name);
  }
  EXPECT_EQ(parse_preprocessing("caffe"), kCaffePreprocessing);
  EXPECT_FALSE(parse_preprocessing("Caffe"));
  Preprocessing other = kCaffePreprocessing;
  other.order = ChannelOrder::kRgb;
  EXPECT_EQ(to_string(other), "custom");
}

TEST(Preprocessing, IsSaidInWords) {
  EXPECT_EQ(in_words(kCaffePreprocessing), "BGR, 0..255, minus 103.939, 116.779, 123.68");
  EXPECT_EQ(in_words(kCaffeRgbPreprocessing), "RGB, 0..255, minus 123, 117, 104");
  EXPECT_EQ(in_words(kTorchvisionPreprocessing),
            "RGB, 0..1, minus 0.485, 0.456, 0.406, over 0.229, 0.224, 0.225");
}

}  // namespace
}  // namespace headstart
