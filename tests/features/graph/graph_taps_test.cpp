// tests/features/graph/graph_taps_test.cpp: which values are taps, which one is the default; and what they
// cost.
#include "features/graph/graph_taps.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "features/graph/graph_cost.hpp"
#include "features/graph/graph_shapes.hpp"
#include "tests/features/graph/small_graph.hpp"

namespace headstart {
namespace {

using test::ints;
using test::no_values;
using test::one_int;
using test::OnnxModel;
using ::testing::ElementsAre;

std::string default_of(const OnnxModel& model, const Extents& input = {1, 3, 8, 8}) {
  const std::vector<std::byte> bytes = test::onnx_file(model);
  const OnnxGraph graph = parse_onnx(bytes);
  const auto tap = default_tap(graph, infer_shapes(graph, input).values);
  return tap ? std::string(tap->name) : "none";
}

TEST(GraphTaps, ShapesOfMapsTokensAndVectors) {
  EXPECT_EQ(map_shape_of({{1, 6, 9, 7}}), (MapShape{9, 7, 6}));
  EXPECT_EQ(map_shape_of({{1, 5, 4}}), (MapShape{5, 1, 4}));
  EXPECT_EQ(map_shape_of({{1, 10}}), (MapShape{1, 1, 10}));
  EXPECT_EQ(map_shape_of({{2, 10}}), std::nullopt);
  EXPECT_EQ(map_shape_of({{1}}), std::nullopt);
  EXPECT_EQ(map_shape_of({{1, 0}}), std::nullopt);
  EXPECT_EQ(map_shape_of({{1, 1 << 15, 1 << 15}}), std::nullopt);
}

TEST(GraphTaps, TheDefaultIsTheMapThatEntersPoolAndClassifier) {
  EXPECT_EQ(default_of(test::small_classifier()), "sum");
  OnnxModel model = test::small_classifier();
  model.nodes.push_back({"Softmax", "", {"logits"}, {"probabilities"}, {}, ""});
  model.outputs[0].name = "probabilities";
  EXPECT_EQ(default_of(model), "sum");
}

TEST(GraphTaps, OtherWaysToWriteAClassifier) {
  // MatMul and Add of constants, behind a mean over both sides.
  OnnxModel model = test::small_graph(
      {{"Relu", "", {"x"}, {"map"}, {}, ""},
       {"ReduceMean", "", {"map"}, {"mean"}, {ints("axes", {2, 3}), one_int("keepdims", 0)}, ""},
       {"MatMul", "", {"mean", "w"}, {"product"}, {}, ""},
       {"Add", "", {"b", "product"}, {"logits"}, {}, ""}},
      {no_values("w", {3, 10}), no_values("b", {10})});
  EXPECT_EQ(default_of(model), "map");
  // A sum of two values that both depend on the image is no bias.
  model.nodes[3].inputs[0] = "product";
  EXPECT_EQ(default_of(model), "logits");
  // The first of some tokens.
  model = test::small_graph({{"Relu", "", {"x"}, {"tokens"}, {}, ""},
                             {"Gather", "", {"tokens", "first"}, {"token"}, {one_int("axis", 1)}, ""},
                             {"Gemm", "", {"token", "w"}, {"logits"}, {}, ""}},
                            {no_values("w", {4, 10})}, {-1, 5, 4});
  model.tensors.push_back(test::integer_tensor("first", std::vector<std::int64_t>{0}));
  model.tensors.back().extents.clear();  // a scalar
  EXPECT_EQ(default_of(model, {1, 5, 4}), "token");
}

TEST(GraphTaps, WithoutAClassifierTheOutputOrWhatIsBelowThePool) {
  EXPECT_EQ(default_of(test::small_graph({{"Relu", "", {"x"}, {"y"}, {}, ""}})), "y");
  EXPECT_EQ(default_of(test::small_graph({{"Relu", "", {"x"}, {"y"}, {}, ""},
                                          {"GlobalAveragePool", "", {"y"}, {"pool"}, {}, ""},
                                          {"Flatten", "", {"pool"}, {"flat"}, {}, ""}})),
            "y");
  EXPECT_EQ(default_of(test::small_graph({{"Flatten", "", {"x"}, {"flat"}, {}, ""}})), "none") << "the image";
  EXPECT_EQ(default_of(test::small_graph({{"Unknown", "", {"x"}, {"y"}, {}, ""}})), "none");
}

TEST(GraphTaps, WhatDependsOnlyOnTheShapeIsNone) {
  const std::vector<std::byte> bytes = test::onnx_file(test::small_graph(
      {{"Shape", "", {"x"}, {"shape"}, {}, ""}, {"Expand", "", {"w", "shape"}, {"y"}, {}, ""}},
      {no_values("w", {1, 1, 1, 1})}));
  const OnnxGraph graph = parse_onnx(bytes);
  const KnownValues values = infer_shapes(graph, {1, 3, 8, 8}).values;
  EXPECT_TRUE(values.contains("y"));
  EXPECT_TRUE(taps_of(graph, values).empty());
  EXPECT_FALSE(default_tap(graph, values));
}

TEST(GraphTaps, CandidatesAreTheLastOfEachSize) {
  const std::vector<std::byte> bytes = test::onnx_file(test::small_classifier());
  const OnnxGraph graph = parse_onnx(bytes);
  const KnownValues values = infer_shapes(graph, {1, 3, 8, 8}).values;
  std::vector<std::string> names;
  for (const GraphTap& tap : tap_candidates(graph, values)) names.emplace_back(tap.name);
  EXPECT_THAT(names, ElementsAre("sum", "logits"));
  names.clear();
  for (const GraphTap& tap : taps_of(graph, values)) names.emplace_back(tap.name);
  EXPECT_THAT(names, ElementsAre("conv", "relu", "second", "sum", "pool", "flat", "logits"));
}

TEST(GraphCost, CountsWhatTheTapNeeds) {
  const std::vector<std::byte> bytes = test::onnx_file(test::small_classifier());
  const OnnxGraph graph = parse_onnx(bytes);
  const KnownValues values = infer_shapes(graph, {1, 3, 8, 8}).values;
  const double first = 4.0 * 4 * 6 * 27;
  const double second = 4.0 * 4 * 6 * 54;
  EXPECT_EQ(multiply_adds(graph, values, "relu"), first);
  EXPECT_EQ(multiply_adds(graph, values, "sum"), first + second);
  EXPECT_EQ(multiply_adds(graph, values, "logits"), first + second + 60);
  EXPECT_EQ(parameter_count(graph, "relu"), 162 + 6);
  EXPECT_EQ(parameter_count(graph, "logits"), 162 + 6 + 324 + 60 + 10);
}

}  // namespace
}  // namespace headstart
