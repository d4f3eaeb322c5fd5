// tests/features/network/network_test.cpp: the value Network, on the known networks.
#include "features/network/network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "features/network/known_networks.hpp"
#include "features/network/weights.hpp"

namespace headstart {
namespace {

const Network& vgg19() { return *find_network("vgg19"); }

/// Names and channels of the convolutions: "block1_conv1 3>64".
std::vector<std::string> convolutions_of(const Network& network) {
  std::vector<std::string> lines;
  for (const NetworkLayer& layer : convolutions(network)) {
    lines.push_back(layer.name + " " + std::to_string(layer.in_channels) + ">" +
                    std::to_string(layer.out_channels));
  }
  return lines;
}

/// A network of one convolution and one pool, with room for all sizes.
Network tiny() {
  Network network;
  network.name = "tiny";
  network.layers = {
      {.name = "conv", .kind = LayerKind::kConvolution, .in_channels = 3, .out_channels = 4, .window = 3},
      {.name = "pool", .kind = LayerKind::kMaxPool, .in_channels = 4, .out_channels = 4, .window = 2}};
  network.taps = {{"pool"}};
  network.default_tap = {"pool"};
  return network;
}

TEST(Network, Vgg16sConvolutionsAreKerass) {
  EXPECT_THAT(convolutions_of(vgg16()),
              testing::ElementsAre("block1_conv1 3>64", "block1_conv2 64>64", "block2_conv1 64>128",
                                   "block2_conv2 128>128", "block3_conv1 128>256", "block3_conv2 256>256",
                                   "block3_conv3 256>256", "block4_conv1 256>512", "block4_conv2 512>512",
                                   "block4_conv3 512>512", "block5_conv1 512>512", "block5_conv2 512>512",
                                   "block5_conv3 512>512"));
}

TEST(Network, Vgg19sConvolutionsAreKerass) {
  EXPECT_THAT(convolutions_of(vgg19()),
              testing::ElementsAre("block1_conv1 3>64", "block1_conv2 64>64", "block2_conv1 64>128",
                                   "block2_conv2 128>128", "block3_conv1 128>256", "block3_conv2 256>256",
                                   "block3_conv3 256>256", "block3_conv4 256>256", "block4_conv1 256>512",
                                   "block4_conv2 512>512", "block4_conv3 512>512", "block4_conv4 512>512",
                                   "block5_conv1 512>512", "block5_conv2 512>512", "block5_conv3 512>512",
                                   "block5_conv4 512>512"));
}

TEST(Network, EveryKnownNetworkHoldsItsInvariants) {
  std::set<std::string> names;
  std::set<std::string> prefixes;
  for (const Network& network : known_networks()) {
    SCOPED_TRACE(network.name);
    EXPECT_TRUE(names.insert(network.name).second);
    EXPECT_TRUE(prefixes.insert(network.identity_prefix).second) << "identities could be another network's";
    EXPECT_EQ(find_network(network.name), &network);
    int channels = 3;
    int block = 1;
    for (const NetworkLayer& layer : network.layers) {
      EXPECT_EQ(layer.in_channels, channels) << layer.name;
      EXPECT_EQ(layer.block, block) << layer.name;
      channels = layer.out_channels;
      if (layer.kind == LayerKind::kMaxPool) ++block;
    }
    for (const Tap& tap : network.taps) {
      EXPECT_EQ(find_tap(network, tap.name), tap);
      EXPECT_EQ(parse_tap(tap.name), tap);
      EXPECT_EQ(network.taps[position_of(network, tap)], tap);
    }
    EXPECT_EQ(network.default_tap, network.taps.back());
    EXPECT_EQ(Tap{network.layers.back().name}, network.taps.back());
  }
  EXPECT_EQ(find_network("VGG16"), nullptr);
  EXPECT_EQ(find_network(""), nullptr);
}

TEST(Network, TapsThatItDoesNotHaveAreRefused) {
  EXPECT_EQ(find_tap(vgg16(), "block6_pool"), std::nullopt);
  EXPECT_EQ(find_tap(vgg16(), "block5_conv3"), std::nullopt) << "a layer that is no tap";
  EXPECT_EQ(parse_tap(""), std::nullopt);
  EXPECT_EQ(parse_tap("Block5_pool"), std::nullopt);
  const Tap none{"block6_pool"};
  EXPECT_THROW((void)position_of(vgg16(), none), std::invalid_argument);
  EXPECT_THROW((void)tap_shape(vgg16(), none, 224), std::invalid_argument);
  EXPECT_THROW((void)first_convolution(vgg16(), none), std::invalid_argument);
  EXPECT_THROW((void)tap_below(vgg16(), 1), std::invalid_argument);
  EXPECT_THROW((void)layers_between(vgg16(), Tap{"block3_pool"}, Tap{"block2_pool"}), std::invalid_argument);
}

TEST(Network, TapShapesAreKerass) {
  for (const Network& network : known_networks()) {
    EXPECT_EQ(tap_shape(network, Tap{"block1_pool"}, 224), (MapShape{112, 112, 64}));
    EXPECT_EQ(tap_shape(network, Tap{"block2_pool"}, 224), (MapShape{56, 56, 128}));
    EXPECT_EQ(tap_shape(network, Tap{"block3_pool"}, 224), (MapShape{28, 28, 256}));
    EXPECT_EQ(tap_shape(network, Tap{"block4_pool"}, 224), (MapShape{14, 14, 512}));
    EXPECT_EQ(tap_shape(network, Tap{"block5_pool"}, 224), (MapShape{7, 7, 512}));
    EXPECT_EQ(start_shape(network, std::nullopt, 224), (MapShape{224, 224, 3}));
  }
  EXPECT_EQ(tap_shape(vgg16(), Tap{"block5_pool"}, 224).size(), 25088U);
}

TEST(Network, PoolsRoundDownOneByOne) {
  for (int size = kMinInputSize; size <= kMaxInputSize; ++size) {
    int side = size;
    for (const Tap& tap : vgg16().taps) {
      side /= 2;
      ASSERT_EQ(tap_shape(vgg16(), tap, size).height, side) << size;
      ASSERT_EQ(tap_shape(vgg16(), tap, size).width, side) << size;
      ASSERT_GE(side, 1);
    }
  }
}

TEST(Network, APartBeginsBehindItsTap) {
  const Tap third{"block3_pool"};
  const auto part = layers_between(vgg19(), third, Tap{"block4_pool"});
  EXPECT_EQ(part.front().name, "block4_conv1");
  EXPECT_EQ(part.back().name, "block4_pool");
  EXPECT_EQ(part.size(), 5U);
  EXPECT_EQ(first_convolution(vgg19(), third), 8U);
  EXPECT_EQ(first_convolution(vgg16(), third), 7U);
  EXPECT_EQ(first_convolution(vgg16(), std::nullopt), 0U);
  EXPECT_EQ(block_of(vgg19(), third), 3);
  EXPECT_EQ(tap_below(vgg19(), 4), third);
  EXPECT_EQ(block_count(vgg19()), 5);
  EXPECT_TRUE(is_above(vgg19(), Tap{"block4_pool"}, third));
  EXPECT_FALSE(is_above(vgg19(), third, third));
  const std::vector<Tap> taps{{"block2_pool"}, {"block4_pool"}, {"block3_pool"}};
  EXPECT_EQ(highest(vgg19(), taps), Tap{"block4_pool"});
}

TEST(Network, APoolLiesBehindTheLastConvolutionOfABlock) {
  for (const NetworkLayer& layer : convolutions(vgg19())) {
    const bool last =
        layer.name == "block1_conv2" || layer.name == "block2_conv2" || layer.name.ends_with("4");
    EXPECT_EQ(is_pooled(vgg19(), layer), last) << layer.name;
  }
}

TEST(Network, ANetworkCanBeMadeAtRunTime) {
  const Network network = tiny();
  EXPECT_EQ(tap_shape(network, Tap{"pool"}, 33), (MapShape{16, 16, 4}));
  EXPECT_EQ(empty_weights(network).layers.size(), 1U);
  EXPECT_NE(network, vgg16());
}

// Caches of every version so far are found by these.
TEST(Network, TheIdentityOfVgg16sWeightsIsThatOfItsNumbersAlone) {
  NetworkWeights weights = empty_weights(vgg16());
  weights.layers[0].kernel = {1.0F, -2.5F};
  weights.layers[0].bias = {0.5F};
  weights.layers[3].kernel = {3.0F};
  std::string bytes;
  for (const float value : {1.0F, -2.5F, 0.5F, 3.0F})
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  EXPECT_EQ(weights_identity(vgg16(), weights.layers), sha256(bytes));
  EXPECT_EQ(weights_identity(vgg19(), weights.layers), sha256("vgg19" + bytes));
}

TEST(Network, TheIdentityUpToATapLeavesTheRestOut) {
  NetworkWeights weights = empty_weights(vgg19());
  for (std::size_t i = 0; i < weights.layers.size(); ++i) weights.layers[i].kernel = {static_cast<float>(i)};
  std::set<std::string> identities;
  for (const Tap& tap : vgg19().taps) identities.insert(identity_up_to(weights, tap).hex());
  EXPECT_EQ(identities.size(), 5U);
  EXPECT_TRUE(identities.contains(weights_identity(vgg19(), weights.layers).hex())) << "the last tap has all";
  const Sha256 third = identity_up_to(weights, Tap{"block3_pool"});
  weights.layers[8].kernel = {-1.0F};  // block4_conv1
  EXPECT_EQ(identity_up_to(weights, Tap{"block3_pool"}), third);
  weights.layers[7].kernel = {-1.0F};  // block3_conv4
  EXPECT_NE(identity_up_to(weights, Tap{"block3_pool"}), third);
}

}  // namespace
}  // namespace headstart
