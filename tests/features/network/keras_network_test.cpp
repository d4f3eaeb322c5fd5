// tests/features/network/keras_network_test.cpp: VGG16 in the graphs of Keras models, and models that are not
// VGG16.
#include "features/network/keras_network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/error.hpp"
#include "tests/features/network/keras_config.hpp"
#include "tests/features/network/vgg16_layers.hpp"

namespace headstart {
namespace {

using test::call_of;
using test::functional;
using test::keras_layer;
using test::place_of;
using test::sequential;
using test::vgg16_layers;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;
using LayerJsons = std::vector<Json>;

/// Names of the convolutions that are found.
std::vector<std::string> names_in(const Json& model) {
  const KerasGraph graph = parse_keras_graph(model.dump());
  std::vector<std::string> names;
  for (const std::size_t node : find_chain(graph, {vgg16(), "made-up.h5"}))
    names.push_back(graph.nodes[node].path.back());
  return names;
}

std::vector<std::string> vgg16_names() {
  std::vector<std::string> names;
  for (const NetworkLayer& layer : test::vgg16_convolutions()) names.emplace_back(layer.name);
  return names;
}

std::string network_refusal(const Json& model) {
  try {
    (void)names_in(model);
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("made-up.h5"));
    return error.what();
  }
  return "accepted";
}

std::string network_refusal(const LayerJsons& layers) { return network_refusal(sequential(layers)); }

void put_behind(LayerJsons& layers, const std::string& name, Json layer) {
  layers.insert(layers.begin() + static_cast<std::ptrdiff_t>(place_of(layers, name)) + 1, std::move(layer));
}

Json& config_of(LayerJsons& layers, const std::string& name) {
  return layers[place_of(layers, name)]["config"];
}

TEST(KerasNetwork, FindsVgg16InEveryKindOfModel) {
  EXPECT_EQ(names_in(sequential(vgg16_layers())), vgg16_names());
  for (const int version : {2, 3}) {
    const Json inner = functional(vgg16_layers(), version, "vgg16");
    EXPECT_EQ(names_in(inner), vgg16_names());
    EXPECT_EQ(names_in(sequential({keras_layer("RandomFlip", "flip"), inner, keras_layer("Flatten", "f")})),
              vgg16_names());
    EXPECT_EQ(names_in(functional({inner, keras_layer("Dense", "d")}, version)), vgg16_names());
  }
}

TEST(KerasNetwork, ActivationsPaddingAndDropoutMayBeLayers) {
  LayerJsons layers;
  for (Json layer : vgg16_layers()) {
    const auto name = layer["config"]["name"].get<std::string>();
    if (layer["class_name"] == "Conv2D") {
      layer["config"]["activation"] = "linear";
      layer["config"]["padding"] = "valid";
      layers.push_back(keras_layer("ZeroPadding2D", name + "_pad", {{"padding", {{1, 1}, {1, 1}}}}));
      layers.push_back(layer);
      layers.push_back(layers.size() % 2 == 0
                           ? keras_layer("ReLU", name + "_relu", {{"max_value", nullptr}})
                           : keras_layer("Activation", name + "_relu", {{"activation", "relu"}}));
      layers.push_back(keras_layer("Dropout", name + "_drop", {{"rate", 0.5}}));
    } else {
      layers.push_back(layer);
    }
  }
  EXPECT_EQ(names_in(sequential(layers)), vgg16_names());
  LayerJsons unpadded = layers;
  unpadded.erase(unpadded.begin());
  EXPECT_THAT(network_refusal(unpadded), HasSubstr("another stride, padding"));
}

TEST(KerasNetwork, TheWordsOfKeras1AreKnown) {
  LayerJsons layers = vgg16_layers();
  for (Json& layer : layers) {
    Json& config = layer["config"];
    if (layer["class_name"] == "Conv2D") {
      config = {{"name", config["name"]},
                {"nb_filter", config["filters"]},
                {"nb_row", 3},
                {"nb_col", 3},
                {"border_mode", "same"},
                {"subsample", {1, 1}},
                {"activation", "relu"},
                {"dim_ordering", "tf"}};
      layer["class_name"] = "Convolution2D";
    } else {
      config = {
          {"name", config["name"]}, {"pool_size", {2, 2}}, {"strides", {2, 2}}, {"border_mode", "valid"}};
    }
  }
  EXPECT_EQ(names_in(test::keras_1_sequential(layers)), vgg16_names());
  config_of(layers, "block3_conv1")["nb_row"] = 5;
  EXPECT_THAT(network_refusal(layers), HasSubstr("block3_conv1 has another size than 3x3"));
}

TEST(KerasNetwork, AHeadMayHaveConvolutionsAndABranchMayLeaveAnywhere) {
  Json model = functional(vgg16_layers());
  Json& layers = model["config"]["layers"];
  const auto add = [&](const std::string& class_name, const std::string& name,
                       const std::vector<std::string>& takes, Json config = Json::object()) {
    layers.push_back(keras_layer(class_name, name, std::move(config)));
    layers.back()["name"] = name;
    layers.back()["inbound_nodes"] = Json::array({call_of(takes)});
  };
  const Json three = vgg16_layers().front()["config"];
  add("Conv2D", "head", {"block5_conv3"}, three);
  add("UpSampling2D", "up", {"head"});
  add("Concatenate", "skip", {"up", "block4_conv3"});
  add("Conv2D", "decoder", {"skip"}, three);
  model["config"]["output_layers"] = {{"decoder", 0, 0}};
  EXPECT_EQ(names_in(model), vgg16_names());
}

TEST(KerasNetwork, BatchNormalisationIsRefusedWhereverItIs) {
  for (const std::string name : {"block1_conv1", "block2_conv2", "block3_pool", "block5_conv2"}) {
    LayerJsons layers = vgg16_layers();
    put_behind(layers, name, keras_layer("BatchNormalization", "bn"));
    EXPECT_THAT(network_refusal(layers), AllOf(HasSubstr("BatchNormalization 'bn'"), HasSubstr("vgg16_bn")))
        << name;
  }
  LayerJsons last = vgg16_layers();
  config_of(last, "block5_conv3")["activation"] = "linear";
  put_behind(last, "block5_conv3", keras_layer("BatchNormalization", "bn"));
  put_behind(last, "bn", keras_layer("ReLU", "relu"));
  EXPECT_THAT(network_refusal(last), HasSubstr("block5_conv3 is not followed by ReLU"));
  LayerJsons behind = vgg16_layers();
  put_behind(behind, "block5_pool", keras_layer("BatchNormalization", "bn"));
  EXPECT_EQ(names_in(sequential(behind)), vgg16_names());
}

TEST(KerasNetwork, OtherSettingsAreRefusedNamingTheLayer) {
  struct Case {
    std::string layer;
    std::string key;
    Json value;
    std::string says;
  };
  for (const Case& other : std::vector<Case>{
           {"block1_conv1", "strides", {2, 2}, "block1_conv1 has another stride"},
           {"block1_conv2", "strides", 2, "block1_conv2 has another stride"},
           {"block2_conv1", "padding", "valid", "block2_conv1 has another stride, padding"},
           {"block3_conv2", "dilation_rate", {2, 2}, "block3_conv2 has another stride, padding, dilation"},
           {"block4_conv1", "groups", 2, "block4_conv1 has another"},
           {"block4_conv2", "activation", "tanh", "block4_conv2 has the activation tanh"},
           {"block5_conv3", "activation", "elu", "block5_conv3 has the activation elu"},
           {"block5_conv3", "activation", "linear", "block5_conv3 is not followed by ReLU"},
           {"block1_conv1", "activation", nullptr, "block1_conv1 is not followed by ReLU"},
           {"block2_conv2",
            "activation",
            {{"class_name", "LeakyReLU"}, {"config", {{"alpha", 0.3}}}},
            "another activation"},
           {"block5_conv1", "filters", 256, "block5_conv1 has other than 512 filters"},
           {"block5_conv1", "kernel_size", {5, 5}, "block5_conv1 has another size"},
           {"block1_pool", "pool_size", {3, 3}, "block1_conv2 is followed by another pool"},
           {"block2_pool", "strides", {1, 1}, "block2_conv2 is followed by another pool"},
           {"block3_pool", "padding", "same", "block3_conv3 is followed by another pool"}}) {
    LayerJsons layers = vgg16_layers();
    config_of(layers, other.layer)[other.key] = other.value;
    EXPECT_THAT(network_refusal(layers), HasSubstr(other.says)) << other.layer << ' ' << other.key;
  }
}

TEST(KerasNetwork, OtherLayersBetweenAreRefused) {
  struct Case {
    std::string behind;
    Json layer;
  };
  for (const Case& other :
       std::vector<Case>{{"block1_conv1", keras_layer("LeakyReLU", "x")},
                         {"block1_conv1", keras_layer("ReLU", "x", {{"max_value", 6.0}})},
                         {"block2_conv1", keras_layer("Activation", "x", {{"activation", "tanh"}})},
                         {"block3_conv1", keras_layer("AveragePooling2D", "x")},
                         {"block3_conv1", keras_layer("MaxPooling2D", "x", {{"pool_size", {2, 2}}})},
                         {"block4_conv1", keras_layer("Lambda", "x")},
                         {"block4_conv1", keras_layer("DepthwiseConv2D", "x")},
                         {"block4_conv1", keras_layer("ZeroPadding2D", "x", {{"padding", {1, 1}}})}}) {
    LayerJsons layers = vgg16_layers();
    put_behind(layers, other.behind, other.layer);
    EXPECT_THAT(network_refusal(layers), AllOf(HasSubstr("weights do not fit VGG16"), HasSubstr("block")))
        << other.layer;
  }
  LayerJsons without = vgg16_layers();
  without.erase(without.begin() + static_cast<std::ptrdiff_t>(place_of(without, "block4_pool")));
  EXPECT_THAT(network_refusal(without), HasSubstr("block4_conv3 is not followed by a max-pool"));
}

TEST(KerasNetwork, ASumBetweenIsRefused) {
  Json model = functional(vgg16_layers());
  Json& layers = model["config"]["layers"];
  layers.push_back(keras_layer("Add", "sum"));
  layers.back()["name"] = "sum";
  layers.back()["inbound_nodes"] = Json::array({call_of({"block4_conv1", "block4_conv2"})});
  for (Json& layer : layers) {
    if (layer["name"] == "block4_conv3") layer["inbound_nodes"] = Json::array({call_of({"sum"})});
  }
  EXPECT_THAT(network_refusal(model), HasSubstr("block4_conv2 is followed by Add 'sum'"));
}

TEST(KerasNetwork, OtherNetworksAreRefused) {
  LayerJsons vgg19 = vgg16_layers();
  for (const std::string block : {"block3", "block4", "block5"}) {
    Json more = vgg19[place_of(vgg19, block + "_conv3")];
    more["config"]["name"] = block + "_conv4";
    put_behind(vgg19, block + "_conv3", more);
  }
  EXPECT_THAT(network_refusal(vgg19), AllOf(HasSubstr("block3_conv3"), HasSubstr("VGG19")));
  LayerJsons shuffled = vgg16_layers();
  std::swap(shuffled[0], shuffled[3]);
  EXPECT_THAT(network_refusal(shuffled), HasSubstr("has other than 64 filters"));
  EXPECT_THAT(network_refusal(LayerJsons{keras_layer("Dense", "d")}), HasSubstr("no convolution"));
}

TEST(KerasNetwork, TwoNetworksAreNotChosenBetween) {
  Json model = functional({functional(vgg16_layers(), 2, "left")});
  Json& layers = model["config"]["layers"];
  layers.push_back(functional(vgg16_layers(), 2, "right"));
  layers.back()["name"] = "right";
  layers.back()["inbound_nodes"] = Json::array({call_of({"model_input"})});
  model["config"]["output_layers"] = {{"left", 1, 0}, {"right", 1, 0}};
  EXPECT_THAT(network_refusal(model), HasSubstr("two networks"));
  layers.erase(2);
  layers[1]["inbound_nodes"].push_back(call_of({"model_input"}));  // the same one, twice
  model["config"]["output_layers"] = {{"left", 1, 0}, {"left", 2, 0}};
  EXPECT_EQ(names_in(model), vgg16_names());
}

// ---- what comes before

NetworkInput input_in(const Json& model, const std::vector<std::vector<float>>& stored = {}) {
  const KerasGraph graph = parse_keras_graph(model.dump());
  const KerasConvolutions convolutions = find_chain(graph, {vgg16(), "made-up.h5"});
  return input_of(graph, convolutions.front(), [&](const KerasNode&) { return stored; });
}

NetworkInput input_behind(const LayerJsons& before, const std::vector<std::vector<float>>& stored = {}) {
  LayerJsons layers = before;
  layers.push_back(sequential(vgg16_layers(), "vgg16"));
  return input_in(sequential(layers), stored);
}

TEST(KerasNetworkInput, LayersThatKeepValuesChangeNothing) {
  const NetworkInput input = input_behind({keras_layer("RandomFlip", "a"), keras_layer("Resizing", "b")});
  EXPECT_FALSE(input.changed);
  EXPECT_EQ(input.unreadable, "");
}

TEST(KerasNetworkInput, RescalingAndNormalizationAddUp) {
  const NetworkInput input =
      input_behind({keras_layer("Rescaling", "a", {{"scale", 0.5}, {"offset", {1, 2, 3}}}),
                    keras_layer("Normalization", "b", {{"mean", {{{{10, 20, 30}}}}}, {"variance", 4.0}})});
  EXPECT_TRUE(input.changed);
  EXPECT_THAT(input.factor, ElementsAre(0.25, 0.25, 0.25));
  EXPECT_THAT(input.offset, ElementsAre(-4.5, -9.0, -13.5));
}

TEST(KerasNetworkInput, AnAdaptedNormalizationIsInTheFile) {
  const LayerJsons before{keras_layer("Normalization", "a", {{"mean", nullptr}, {"variance", nullptr}})};
  const NetworkInput input = input_behind(before, {{1, 2, 3}, {4, 16, 64}, {9}});
  EXPECT_THAT(input.factor, ElementsAre(0.5, 0.25, 0.125));
  EXPECT_THAT(input.offset, ElementsAre(-0.5, -0.5, -0.375));
  EXPECT_EQ(input_behind(before, {}).unreadable, "Normalization 'a'");
}

TEST(KerasNetworkInput, WhatIsNotKnownIsNamed) {
  EXPECT_EQ(input_behind({keras_layer("Lambda", "swap")}).unreadable, "Lambda 'swap'");
}

/// A functional model that begins with layers called as `calls` say.
NetworkInput input_behind_calls(const std::vector<std::pair<Json, Json>>& calls, int version) {
  LayerJsons layers;
  for (const auto& [layer, call] : calls) layers.push_back(layer);
  layers.push_back(functional(vgg16_layers(), version, "vgg16"));
  Json model = functional(layers, version);
  for (std::size_t i = 0; i < calls.size(); ++i)
    model["config"]["layers"][i + 1]["inbound_nodes"] = Json::array({calls[i].second});
  return input_in(model);
}

TEST(KerasNetworkInput, Keras2sPreprocessInputIsRead) {
  const NetworkInput input = input_behind_calls(
      {{keras_layer("SlicingOpLambda", "get", {{"function", "__operators__.getitem"}}),
        Json::parse(R"([["model_input", 0, 0, {"slice_spec": [{"class_name": "__ellipsis__"},
                        {"start": null, "stop": null, "step": -1}]}]])")},
       {keras_layer("TFOpLambda", "add", {{"function", "nn.bias_add"}}),
        Json::parse(R"([["get", 0, 0, {"bias": [-103.939, -116.779, -123.68], "data_format": "NHWC"}]])")}},
      2);
  EXPECT_EQ(input.unreadable, "");
  EXPECT_TRUE(input.reversed);
  EXPECT_THAT(input.offset, ElementsAre(-103.939, -116.779, -123.68));
}

TEST(KerasNetworkInput, Keras3sPreprocessInputIsRead) {
  Json model = functional({functional(vgg16_layers(), 3, "vgg16")}, 3);
  Json& layers = model["config"]["layers"];
  const auto add = [&](const Json& layer, const Json& call) {
    layers.push_back(layer);
    layers.back()["name"] = layer["config"]["name"];
    layers.back()["inbound_nodes"] = Json::array({call});
  };
  for (const int channel : {2, 1, 0}) {
    Json call = call_of({"model_input"}, 3);
    call["args"].push_back({{{"class_name", "__ellipsis__"}, {"config", Json::object()}}, channel});
    add(keras_layer("GetItem", "item" + std::to_string(channel)), call);
  }
  add(keras_layer("Stack", "stack", {{"axis", -1}}), call_of({"item2", "item1", "item0"}, 3));
  Json call = call_of({"stack"}, 3);
  call["args"].push_back(
      {{"class_name", "__tensor__"},
       {"config", {{"value", {{{{-103.939, -116.779, -123.68}}}}}, {"dtype", "float32"}}}});
  add(keras_layer("Add", "add"), call);
  layers[1]["inbound_nodes"] = Json::array({call_of({"add"}, 3)});
  const NetworkInput input = input_in(model);
  EXPECT_EQ(input.unreadable, "");
  EXPECT_TRUE(input.reversed);
  EXPECT_THAT(input.offset, ElementsAre(-103.939, -116.779, -123.68));
  for (Json& layer : layers) {
    if (layer["config"]["name"] == "stack")
      layer["inbound_nodes"] = Json::array({call_of({"item0", "item1", "item2"}, 3)});
  }
  EXPECT_EQ(input_in(model).unreadable, "Stack 'stack'");
}

TEST(KerasNetworkInput, ArithmeticWithConstantsIsRead) {
  const auto lambda = [](const std::string& name, const std::string& function) {
    return keras_layer("TFOpLambda", name, {{"function", function}});
  };
  const NetworkInput input = input_behind_calls(
      {{lambda("a", "math.truediv"), Json::parse(R"([["model_input", 0, 0, {"y": 127.5, "name": null}]])")},
       {lambda("b", "math.subtract"), Json::parse(R"([["a", 0, 0, {"y": 1.0, "name": null}]])")}},
      2);
  EXPECT_EQ(input.unreadable, "");
  EXPECT_THAT(input.factor, ElementsAre(1 / 127.5, 1 / 127.5, 1 / 127.5));
  EXPECT_THAT(input.offset, ElementsAre(-1, -1, -1));
  const NetworkInput flipped = input_behind_calls(
      {{keras_layer("SlicingOpLambda", "rows", {{"function", "__operators__.getitem"}}),
        Json::parse(R"([["model_input", 0, 0, {"slice_spec": [{"start": null, "stop": null, "step": null},
                        {"start": null, "stop": null, "step": -1}]}]])")}},
      2);
  EXPECT_EQ(flipped.unreadable, "SlicingOpLambda 'rows'");
}

}  // namespace
}  // namespace headstart
