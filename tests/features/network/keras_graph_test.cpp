// tests/features/network/keras_graph_test.cpp: one graph from every spelling of a model_config.
#include "features/network/keras_graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/features/network/keras_config.hpp"

namespace headstart {
namespace {

using test::call_of;
using test::functional;
using test::keras_1_sequential;
using test::keras_layer;
using test::sequential;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Json = nlohmann::json;

std::vector<std::string> operations_of(const KerasGraph& graph) {
  std::vector<std::string> operations;
  for (const KerasNode& node : graph.nodes) operations.push_back(node.operation);
  return operations;
}

std::string graph_refusal(const std::string& model_config) {
  try {
    (void)parse_keras_graph(model_config);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

const std::vector<Json> kChain{keras_layer("Conv2D", "a"), keras_layer("ReLU", "b"),
                               keras_layer("Dense", "c")};

TEST(KerasGraph, EverySpellingOfAChainIsTheSameGraph) {
  for (const Json& model :
       {keras_1_sequential(kChain), sequential(kChain), functional(kChain, 2), functional(kChain, 3)}) {
    const KerasGraph graph = parse_keras_graph(model.dump());
    EXPECT_THAT(operations_of(graph), ElementsAre("InputLayer", "Conv2D", "ReLU", "Dense"));
    for (std::size_t i = 1; i < graph.nodes.size(); ++i) {
      EXPECT_THAT(graph.nodes[i].inputs, ElementsAre(i - 1));
      EXPECT_THAT(graph.nodes[i - 1].users, ElementsAre(i));
    }
    EXPECT_THAT(graph.nodes[2].path, ElementsAre("b"));
    EXPECT_EQ(graph.nodes[3].config->at("name"), "c");
  }
}

TEST(KerasGraph, ModelsInsideModelsAreLaidOpen) {
  for (const int version : {2, 3}) {
    Json inner = functional(kChain, version, "inner");
    Json middle = sequential({inner, keras_layer("Flatten", "flat")}, "middle");
    const Json outer =
        functional({keras_layer("Rescaling", "first"), middle, keras_layer("Dense", "last")}, version);
    const KerasGraph graph = parse_keras_graph(outer.dump());
    EXPECT_THAT(operations_of(graph),
                ElementsAre("InputLayer", "Rescaling", "Conv2D", "ReLU", "Dense", "Flatten", "Dense"));
    EXPECT_THAT(graph.nodes[2].path, ElementsAre("middle", "inner", "a"));
    EXPECT_THAT(graph.nodes[2].inputs, ElementsAre(1U));
    EXPECT_THAT(graph.nodes[6].inputs, ElementsAre(5U));
  }
}

TEST(KerasGraph, ALayerThatIsCalledTwiceIsTwoNodes) {
  for (const std::size_t counted_from : {0U, 1U}) {  // of a model inside, as Keras versions do
    Json model = functional({sequential(kChain, "shared")}, 3);
    Json& layers = model["config"]["layers"];
    layers[1]["inbound_nodes"].push_back(call_of({"model_input"}, 3));
    layers.push_back(keras_layer("Subtract", "end"));
    layers.back()["inbound_nodes"] = Json::array(
        {Json::array({call_of({"shared"}, 3, counted_from), call_of({"shared"}, 3, counted_from + 1)})});
    model["config"]["output_layers"] = {"end", 0, 0};
    const KerasGraph graph = parse_keras_graph(model.dump());
    ASSERT_EQ(graph.nodes.size(), 8U);
    EXPECT_EQ(graph.nodes[1].path, graph.nodes[4].path);
    EXPECT_THAT(graph.nodes[0].users, ElementsAre(1U, 4U));
    EXPECT_THAT(graph.nodes[7].inputs, ElementsAre(3U, 6U));
  }
}

TEST(KerasGraph, ALayerMayBeListedBeforeWhatItTakes) {
  Json model = functional(kChain);
  std::swap(model["config"]["layers"][1], model["config"]["layers"][3]);
  EXPECT_THAT(operations_of(parse_keras_graph(model.dump())),
              ElementsAre("InputLayer", "Conv2D", "ReLU", "Dense"));
}

TEST(KerasGraph, TheWrapperOfATimeSeriesIsWhatItWraps) {
  const Json wrapper = keras_layer("TimeDistributed", "each", {{"layer", sequential(kChain, "inner")}});
  const KerasGraph graph = parse_keras_graph(sequential({wrapper}).dump());
  EXPECT_THAT(graph.nodes.at(1).path, ElementsAre("each", "inner", "a"));
}

TEST(KerasGraph, WhatIsNoModelIsRefused) {
  EXPECT_THAT(graph_refusal("{"), HasSubstr("no JSON"));
  EXPECT_THAT(graph_refusal("[]"), HasSubstr("no layers"));
  EXPECT_THAT(graph_refusal(R"({"class_name": "MyModel", "config": {}})"), HasSubstr("no layers"));
  EXPECT_THAT(graph_refusal(keras_1_sequential({Json(3)}).dump()), HasSubstr("no class"));
  EXPECT_THAT(graph_refusal(std::string(100, '[')), HasSubstr("nested too deeply"));
  EXPECT_THAT(graph_refusal(std::string(kMaxKerasConfigBytes + 1, ' ')), HasSubstr("16 MiB"));
}

TEST(KerasGraph, LayersThatWaitForEachOtherAreRefused) {
  Json model = functional(kChain);
  model["config"]["layers"][1]["inbound_nodes"] = Json::array({call_of({"b"})});
  EXPECT_THAT(graph_refusal(model.dump()), HasSubstr("no input of layer 'a'"));
  model = functional(kChain);
  model["config"]["output_layers"] = {"nowhere", 0, 0};
  EXPECT_THAT(graph_refusal(model.dump()), HasSubstr("no output of layer 'nowhere'"));
  model["config"].erase("output_layers");
  EXPECT_THAT(graph_refusal(model.dump()), HasSubstr("without outputs"));
}

TEST(KerasGraph, ModelsThatGrowWithoutEndAreRefused) {
  Json model = sequential({keras_layer("ReLU", "a")}, "inner");
  for (int level = 0; level < 14; ++level) model = sequential({model, model}, "inner");
  EXPECT_THAT(graph_refusal(model.dump()), HasSubstr("more than 5000 layers"));
  EXPECT_THAT(graph_refusal(sequential(std::vector<Json>(6000, keras_layer("ReLU", "a"))).dump()),
              HasSubstr("more than 5000 layers"));
}

}  // namespace
}  // namespace headstart
