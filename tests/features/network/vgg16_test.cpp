// tests/features/network/vgg16_test.cpp
#include "features/network/vgg16.hpp"

#include <gtest/gtest.h>

namespace headstart {
namespace {

TEST(Vgg16, EveryLayerTakesWhatTheOneBeforeItGives) {
  int channels = 3;
  for (const ConvolutionLayer& layer : kVgg16Convolutions) {
    EXPECT_EQ(layer.in_channels, channels) << layer.name;
    EXPECT_EQ(layer.name.substr(0, 6), "block" + std::to_string(layer.block));
    channels = layer.out_channels;
  }
  EXPECT_EQ(channels, 512);
}

TEST(Vgg16, TapsHaveNamesThatParse) {
  for (const Tap tap : kAllTaps) EXPECT_EQ(parse_tap(to_string(tap)), tap);
  EXPECT_EQ(to_string(Tap::kBlock5Pool), "block5_pool");
  EXPECT_EQ(parse_tap("block6_pool"), std::nullopt);
  EXPECT_EQ(parse_tap(""), std::nullopt);
  EXPECT_EQ(parse_tap("Block5_pool"), std::nullopt);
}

TEST(Vgg16, TapShapesAreKerass) {
  EXPECT_EQ(tap_shape(Tap::kBlock1Pool, 224), (MapShape{112, 112, 64}));
  EXPECT_EQ(tap_shape(Tap::kBlock2Pool, 224), (MapShape{56, 56, 128}));
  EXPECT_EQ(tap_shape(Tap::kBlock3Pool, 224), (MapShape{28, 28, 256}));
  EXPECT_EQ(tap_shape(Tap::kBlock4Pool, 224), (MapShape{14, 14, 512}));
  EXPECT_EQ(tap_shape(Tap::kBlock5Pool, 224), (MapShape{7, 7, 512}));
  EXPECT_EQ(tap_shape(Tap::kBlock5Pool, 224).size(), 25088U);
}

TEST(Vgg16, PoolsRoundDownOneByOne) {
  for (int size = kMinInputSize; size <= kMaxInputSize; ++size) {
    int side = size;
    for (const Tap tap : kAllTaps) {
      side /= 2;
      ASSERT_EQ(tap_shape(tap, size).height, side) << size;
      ASSERT_EQ(tap_shape(tap, size).width, side) << size;
      ASSERT_GE(side, 1);
    }
  }
}

}  // namespace
}  // namespace headstart
