// tests/features/network/network_input_test.cpp
#include "features/network/network_input.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <limits>

namespace headstart {
namespace {

/// What a model does that preprocesses in the order of its own channels. @param range  of its input
NetworkInput doing(const Preprocessing& preprocessing, double range = 255.0) {
  NetworkInput input;
  for (std::size_t c = 0; c < 3; ++c) {
    const double deviation = preprocessing.deviation[c];
    input.factor[c] = preprocessing.scale / deviation * (255.0 / range);
    input.offset[c] = -preprocessing.mean[c] / deviation;
  }
  input.changed = true;
  return input;
}

TEST(NetworkInput, StepsAddUpFromTheConvolutionBack) {
  // y = 2 x + (1, 2, 3), channels reversed, z = (10, 20, 30) y + 5.
  NetworkInput input;
  input.follow({10, 20, 30}, {5, 5, 5});
  input.follow_reversal();
  input.follow({2, 2, 2}, {1, 2, 3});
  EXPECT_EQ(input.factor, (NetworkInput::Channels{20, 40, 60}));
  EXPECT_EQ(input.offset, (NetworkInput::Channels{35, 45, 35}));
  EXPECT_TRUE(input.reversed);
  EXPECT_TRUE(input.changed);
}

TEST(NetworkInput, NamedPreprocessingsAreRecognisedThoughRounded) {
  for (const Preprocessing& named :
       {kCaffePreprocessing, kCaffeRgbPreprocessing, kTorchvisionPreprocessing}) {
    for (const Preprocessing& known : {named, exchanged(named)}) {
      NetworkInput input = doing(known);
      input.reversed = known.order == ChannelOrder::kBgr;
      for (double& factor : input.factor) factor *= 1.0 + 2e-7;
      EXPECT_EQ(preprocessing_of(input, std::nullopt), known);
    }
  }
}

TEST(NetworkInput, AnInputOfZeroToOneIsRecognised) {
  EXPECT_EQ(preprocessing_of(doing(kTorchvisionPreprocessing, 1.0), std::nullopt), kTorchvisionPreprocessing);
  EXPECT_EQ(preprocessing_of(doing(kCaffeRgbPreprocessing, 1.0), std::nullopt), kCaffeRgbPreprocessing);
}

TEST(NetworkInput, MeansTellTheOrderUnlessLayersAndKernelAgree) {
  const NetworkInput input = doing(kCaffePreprocessing);  // not reversed: of a model that is fed BGR
  EXPECT_EQ(preprocessing_of(input, std::nullopt), kCaffePreprocessing);
  EXPECT_EQ(preprocessing_of(input, ChannelOrder::kBgr), kCaffePreprocessing);
  const auto odd = preprocessing_of(input, ChannelOrder::kRgb);
  ASSERT_TRUE(odd.has_value());
  EXPECT_EQ(odd->order, ChannelOrder::kRgb);
  EXPECT_EQ(odd->mean, kCaffePreprocessing.mean);
}

TEST(NetworkInput, OthersAreCustom) {
  NetworkInput input;
  input.follow({1 / 127.5, 1 / 127.5, 1 / 127.5}, {-1, -1, -1});
  EXPECT_EQ(preprocessing_of(input, std::nullopt),
            (Preprocessing{ChannelOrder::kRgb, 1.0F / 127.5F, {1, 1, 1}, {1, 1, 1}}));
  NetworkInput uneven;
  uneven.follow({0.5, 0.25, 0.125}, {-1, -2, -4});
  uneven.follow_reversal();
  EXPECT_EQ(preprocessing_of(uneven, std::nullopt),
            (Preprocessing{ChannelOrder::kBgr, 1.0F, {2, 8, 32}, {2, 4, 8}}));
}

TEST(NetworkInput, WhatGivesNoInputIsNone) {
  for (const double bad : {0.0, std::numeric_limits<double>::infinity(), std::nan("")}) {
    NetworkInput input;
    input.follow({1, bad, 1}, {0, 0, 0});
    EXPECT_FALSE(preprocessing_of(input, std::nullopt).has_value());
  }
}

}  // namespace
}  // namespace headstart
