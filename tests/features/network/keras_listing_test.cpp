// tests/features/network/keras_listing_test.cpp: what a list of layers tells where there is no graph.
#include "features/network/keras_listing.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "data/error.hpp"
#include "tests/features/network/vgg16_layers.hpp"

namespace headstart {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using ListedLayers = std::vector<KerasLayer>;

KerasLayer layer_of(const std::string& name,
                    const std::vector<std::pair<std::string, std::vector<std::uint64_t>>>& weights = {}) {
  KerasLayer layer{name, {}};
  for (const auto& [weight, extents] : weights) {
    const std::string full = name + "/" + weight + ":0";
    layer.weights.push_back({full, name + "/" + full, extents});
  }
  return layer;
}

KerasLayer convolution(const std::string& name, std::uint64_t in, std::uint64_t out, std::uint64_t size = 3) {
  return layer_of(name, {{"kernel", {size, size, in, out}}, {"bias", {out}}});
}

KerasLayer normalisation(const std::string& name, std::uint64_t width) {
  return layer_of(
      name, {{"gamma", {width}}, {"beta", {width}}, {"moving_mean", {width}}, {"moving_variance", {width}}});
}

KerasLayer dense(const std::string& name, std::uint64_t in, std::uint64_t out) {
  return layer_of(name, {{"kernel", {in, out}}, {"bias", {out}}});
}

/// @param named  by Keras's names, else as Keras numbers layers
ListedLayers vgg16_listing(bool named, bool pools = true) {
  ListedLayers layers{layer_of("input_1")};
  for (std::size_t i = 0; i < test::vgg16_convolutions().size(); ++i) {
    const NetworkLayer& layer = test::vgg16_convolutions()[i];
    layers.push_back(convolution(named ? std::string(layer.name) : fmt::format("conv2d_{}", i + 1),
                                 static_cast<std::uint64_t>(layer.in_channels),
                                 static_cast<std::uint64_t>(layer.out_channels)));
    if (pools && test::ends_block(i))
      layers.push_back(layer_of(named ? fmt::format("block{}_pool", layer.block)
                                      : fmt::format("max_pooling2d_{}", layer.block)));
  }
  return layers;
}

void insert_behind(ListedLayers& layers, const std::string& name, KerasLayer layer) {
  const auto place =
      std::find_if(layers.begin(), layers.end(), [&](const KerasLayer& l) { return l.name == name; });
  layers.insert(place + 1, std::move(layer));
}

std::string listing_refusal(const ListedLayers& layers) {
  try {
    const KerasKernels kernels = match_listing(layers, {vgg16(), "made-up.h5"});
    for (const KerasKernel& kernel : kernels) EXPECT_NE(kernel.bias, nullptr);
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("made-up.h5"));
    return error.what();
  }
  return "accepted";
}

TEST(KerasListing, Vgg16IsFoundByNamesOrByOrder) {
  EXPECT_EQ(listing_refusal(vgg16_listing(true)), "accepted");
  EXPECT_EQ(listing_refusal(vgg16_listing(true, false)), "accepted");
  EXPECT_EQ(listing_refusal(vgg16_listing(false)), "accepted");
}

TEST(KerasListing, WithoutKerassNamesThePoolsHaveToBeListed) {
  EXPECT_THAT(listing_refusal(vgg16_listing(false, false)),
              AllOf(HasSubstr("block1_conv2 is followed by 0 pools, needed 1"), HasSubstr("model.save(")));
}

TEST(KerasListing, NormalisationBetweenTheConvolutionsIsRefused) {
  for (const bool named : {true, false}) {
    for (const std::ptrdiff_t behind : {1, 5, 12}) {
      ListedLayers layers = vgg16_listing(named);
      layers.insert(layers.begin() + behind + 1, normalisation("batch_normalization_3", 64));
      EXPECT_THAT(listing_refusal(layers), HasSubstr("it looks like vgg16_bn")) << behind;
    }
  }
}

TEST(KerasListing, WhatMayBelongToTheLastConvolutionIsRefused) {
  ListedLayers layers = vgg16_listing(true);
  insert_behind(layers, "block5_conv3", normalisation("bn", 512));
  EXPECT_THAT(listing_refusal(layers), HasSubstr("behind block5_conv3, which may belong to it"));
  layers = vgg16_listing(true);
  for (int i = 0; i < 13; ++i)
    layers.push_back(normalisation(fmt::format("bn_{}", i), 64));  // listed at the end
  EXPECT_THAT(listing_refusal(layers), HasSubstr("may belong to it"));
  layers = vgg16_listing(true);
  layers.push_back(dense("fc", 512, 10));
  layers.push_back(normalisation("bn", 10));
  EXPECT_EQ(listing_refusal(layers), "accepted");
}

TEST(KerasListing, OtherLayersBetweenAreRefused) {
  for (const char* const name : {"leaky_re_lu_1", "elu_1", "average_pooling2d_1", "max_pooling2d_9",
                                 "lambda_1", "up_sampling2d", "add_2", "softmax"}) {
    for (const bool named : {true, false}) {
      ListedLayers layers = vgg16_listing(named);
      insert_behind(layers, named ? "block3_conv1" : "conv2d_5", layer_of(name));
      EXPECT_THAT(listing_refusal(layers), HasSubstr("block3_conv1 is followed by")) << name;
    }
  }
  for (const char* const name : {"leaky_re_lu", "elu_1", "p_re_lu"}) {
    ListedLayers layers = vgg16_listing(true);
    insert_behind(layers, "block5_conv3", layer_of(name));
    EXPECT_THAT(listing_refusal(layers), HasSubstr("block5_conv3 is followed by")) << name;
  }
  for (const char* const name : {"re_lu_4", "activation_2", "dropout_1", "zero_padding2d_3", "relu3_1"}) {
    ListedLayers layers = vgg16_listing(false);
    insert_behind(layers, "conv2d_5", layer_of(name));
    EXPECT_EQ(listing_refusal(layers), "accepted") << name;
  }
}

TEST(KerasListing, AHeadOfDenseLayersAndConvolutionsIsIgnored) {
  ListedLayers layers = vgg16_listing(true);
  layers.push_back(convolution("head", 512, 4, 1));
  layers.push_back(dense("fc", 4, 2));
  EXPECT_EQ(listing_refusal(layers), "accepted");
  layers = vgg16_listing(false);
  layers.push_back(convolution("conv2d_14", 512, 4, 1));
  EXPECT_EQ(listing_refusal(layers), "accepted");
  layers.push_back(convolution("conv2d_15", 4, 4, 3));
  EXPECT_THAT(listing_refusal(layers), HasSubstr("it has 14 convolutions"));
  layers = vgg16_listing(true);
  insert_behind(layers, "input_1", convolution("to_colours", 1, 3, 1));
  EXPECT_THAT(listing_refusal(layers), HasSubstr("'to_colours/to_colours/kernel:0' before block5_conv3"));
}

TEST(KerasListing, AModelThatIsOneLayerMayListWhatIsTrainedFirst) {
  KerasLayer model{"vgg16", {}};
  for (const KerasLayer& layer : vgg16_listing(true))
    model.weights.insert(model.weights.end(), layer.weights.begin(), layer.weights.end());
  const KerasLayer head = dense("fc", 512, 10);
  model.weights.insert(model.weights.begin(), head.weights.begin(), head.weights.end());
  std::rotate(model.weights.begin() + 2, model.weights.end() - 6,
              model.weights.end());  // block5 is trained too
  EXPECT_EQ(listing_refusal({model}), "accepted");
  EXPECT_EQ(match_listing({model}, {vgg16(), "made up"})[0].kernel->name, "block1_conv1/kernel:0");
  const KerasLayer bn = normalisation("bn", 64);
  model.weights.insert(model.weights.end(), bn.weights.begin(), bn.weights.end());
  EXPECT_NE(listing_refusal({model}), "accepted");
}

KerasPaths paths_below(const std::vector<std::string>& outer) {
  KerasPaths paths(test::vgg16_convolutions().size());
  for (std::size_t i = 0; i < paths.size(); ++i) {
    paths[i] = outer;
    paths[i].emplace_back(test::vgg16_convolutions()[i].name);
  }
  return paths;
}

TEST(KerasListing, PathsOfTheGraphFindTheirKernels) {
  const ListedLayers flat = vgg16_listing(true);
  const KerasKernels kernels = match_paths(flat, paths_below({}), {vgg16(), "made up"});
  EXPECT_EQ(kernels[12].kernel->name, "block5_conv3/kernel:0");
  KerasLayer model{"inner", {}};
  for (const KerasLayer& layer : flat) {
    for (KerasWeight weight : layer.weights) {
      weight.name = "sequential/" + weight.name;
      model.weights.push_back(weight);
    }
  }
  std::rotate(model.weights.begin(), model.weights.begin() + 8, model.weights.end());
  const ListedLayers nested{model, dense("d", 1, 1)};
  EXPECT_EQ(match_paths(nested, paths_below({"inner"}), {vgg16(), "made up"})[3].kernel->name,
            "sequential/block2_conv2/kernel:0");
}

TEST(KerasListing, APathWithoutAKernelOrWithTwoIsRefused) {
  const auto refusal = [](const ListedLayers& layers, const KerasPaths& paths) -> std::string {
    try {
      (void)match_paths(layers, paths, {vgg16(), "made-up.h5"});
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal({}, paths_below({})),
              HasSubstr("block1_conv1, its layer 'block1_conv1', has no kernel"));
  ListedLayers layers = vgg16_listing(true);
  layers[1].weights.push_back(layers[2].weights[0]);
  EXPECT_THAT(refusal(layers, paths_below({})), HasSubstr("can't be told"));
  KerasPaths twice = paths_below({});
  twice[4] = twice[3];
  EXPECT_THAT(refusal(vgg16_listing(true), twice), HasSubstr("can't be told"));
}

TEST(KerasListing, ALayerBeforeThatMayChangeValuesIsNamed) {
  ListedLayers layers = vgg16_listing(true);
  EXPECT_EQ(layer_before(layers), "");
  insert_behind(layers, "input_1", layer_of("random_flip"));
  EXPECT_EQ(layer_before(layers), "");
  insert_behind(layers, "input_1", layer_of("rescaling"));
  EXPECT_EQ(layer_before(layers), "'rescaling'");
}

}  // namespace
}  // namespace headstart
