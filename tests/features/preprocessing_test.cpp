// tests/features/preprocessing_test.cpp
#include "features/preprocessing.hpp"

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
  const Preprocessing torchvision{
      ChannelOrder::kRgb, 1.0F / 255.0F, {0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};
  std::vector<float> pixels{255.0F, 0.0F, 51.0F};
  preprocess(torchvision, pixels);
  EXPECT_NEAR(pixels[0], (1.0 - 0.485) / 0.229, 1e-6);
  EXPECT_NEAR(pixels[1], (0.0 - 0.456) / 0.224, 1e-6);
  EXPECT_NEAR(pixels[2], (0.2 - 0.406) / 0.225, 1e-6);
}

TEST(Preprocessing, OnlyCaffesHasItsName) {
  EXPECT_EQ(to_string(kCaffePreprocessing), "caffe");
  Preprocessing other = kCaffePreprocessing;
  other.order = ChannelOrder::kRgb;
  EXPECT_EQ(to_string(other), "custom");
}

}  // namespace
}  // namespace headstart
