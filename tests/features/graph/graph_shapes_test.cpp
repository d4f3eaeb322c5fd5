// tests/features/graph/graph_shapes_test.cpp: each rule by examples worked out by hand from the text of the
// operator; tests/interop/graph_test.py compares whole graphs with the shapes that the onnx package infers.
#include "features/graph/graph_shapes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/features/graph/small_graph.hpp"

namespace headstart {
namespace {

using test::ints;
using test::no_values;
using test::one_int;
using test::OnnxModel;
using test::shape_behind;
using test::word;
using ::testing::HasSubstr;

struct Node {
  std::string operation;
  std::vector<test::AttributeToWrite> attributes{};
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> numbers{};  // constants of int64 behind "x"
  std::vector<std::vector<std::int64_t>> tensors{};                          // shapes of others behind "x"
};

OnnxModel model_of(const Node& node, std::size_t outputs = 1) {
  OnnxModel model = test::small_graph({{node.operation, "it", {"x"}, {"y"}, node.attributes, ""}});
  for (std::size_t i = 1; i < outputs; ++i) model.nodes[0].outputs.push_back("y" + std::to_string(i));
  for (std::size_t i = 0; i < node.tensors.size(); ++i) {
    model.tensors.push_back(no_values("t" + std::to_string(i), node.tensors[i]));
    model.nodes[0].inputs.push_back(model.tensors.back().name);
  }
  for (const auto& [name, values] : node.numbers) {
    if (name != "") model.tensors.push_back(test::integer_tensor(name, values));
    model.nodes[0].inputs.push_back(name);
  }
  return model;
}

std::string shape_of(const Node& node, const Extents& input) { return shape_behind(model_of(node), input); }

const Extents kMap{1, 6, 9, 7};

TEST(GraphShapes, Convolutions) {
  EXPECT_EQ(shape_of({"Conv", {}, {}, {{4, 6, 3, 3}}}, kMap), "1x4x7x5");
  EXPECT_EQ(
      shape_of({"Conv", {ints("pads", {1, 1, 1, 1}), ints("strides", {2, 3})}, {}, {{4, 6, 3, 3}}}, kMap),
      "1x4x5x3");
  EXPECT_EQ(shape_of({"Conv", {ints("dilations", {2, 2}), one_int("group", 6)}, {}, {{6, 1, 3, 3}}}, kMap),
            "1x6x5x3");
  EXPECT_EQ(
      shape_of({"Conv", {word("auto_pad", "SAME_UPPER"), ints("strides", {2, 2})}, {}, {{4, 6, 3, 3}}}, kMap),
      "1x4x5x4");
  EXPECT_EQ(
      shape_of(
          {"ConvTranspose", {ints("strides", {2, 2}), ints("output_padding", {1, 0})}, {}, {{6, 4, 3, 3}}},
          kMap),
      "1x4x20x15");
}

TEST(GraphShapes, ConvolutionsThatDoNotFit) {
  EXPECT_THAT(shape_of({"Conv", {}, {}, {{4, 5, 3, 3}}}, kMap),
              HasSubstr("node 'it' (Conv): it takes 5 channels"));
  EXPECT_THAT(shape_of({"Conv", {}, {}, {{4, 6, 3}}}, kMap), HasSubstr("a kernel of 4x6x3"));
  EXPECT_THAT(shape_of({"Conv", {}, {}, {{4, 6, 10, 3}}}, kMap), HasSubstr("a window of 10 on an axis of 9"));
  EXPECT_THAT(shape_of({"Conv", {}, {}, {{4, 6, 3, 3}, {5}}}, kMap), HasSubstr("a bias of 5"));
  EXPECT_THAT(shape_of({"Conv", {ints("strides", {0, 1})}, {}, {{4, 6, 3, 3}}}, kMap),
              HasSubstr("strides has a 0"));
  EXPECT_THAT(shape_of({"Conv", {ints("pads", {1, 1})}, {}, {{4, 6, 3, 3}}}, kMap), HasSubstr("needed 4"));
  EXPECT_THAT(shape_of({"Conv", {ints("kernel_shape", {5, 5})}, {}, {{4, 6, 3, 3}}}, kMap),
              HasSubstr("kernel_shape"));
  EXPECT_THAT(shape_of({"Conv", {one_int("group", 0)}, {}, {{4, 6, 3, 3}}}, kMap), HasSubstr("0 groups"));
  EXPECT_THAT(shape_of({"Conv"}, kMap), HasSubstr("no input 2"));
}

TEST(GraphShapes, Pools) {
  const auto pool = [](std::vector<test::AttributeToWrite> more) {
    more.push_back(ints("kernel_shape", {3, 3}));
    more.push_back(ints("strides", {2, 2}));
    return shape_of({"MaxPool", std::move(more)}, {1, 6, 8, 10});
  };
  EXPECT_EQ(pool({}), "1x6x3x4");
  EXPECT_EQ(pool({one_int("ceil_mode", 1)}), "1x6x4x5");
  // The last window would begin in the padding behind.
  EXPECT_EQ(pool({one_int("ceil_mode", 1), ints("pads", {1, 1, 1, 1})}), "1x6x5x6");
  EXPECT_EQ(shape_of({"AveragePool",
                      {ints("kernel_shape", {1, 1}), ints("strides", {2, 2}), one_int("ceil_mode", 1),
                       ints("pads", {0, 0, 1, 1})}},
                     {1, 6, 8, 8}),
            "1x6x4x4");
  EXPECT_EQ(shape_of({"GlobalAveragePool"}, kMap), "1x6x1x1");
}

TEST(GraphShapes, Products) {
  EXPECT_EQ(shape_of({"Gemm", {one_int("transB", 1)}, {}, {{10, 6}, {10}}}, {2, 6}), "2x10");
  EXPECT_EQ(shape_of({"Gemm", {one_int("transA", 1)}, {}, {{2, 5}}}, {2, 6}), "6x5");
  EXPECT_THAT(shape_of({"Gemm", {}, {}, {{10, 6}}}, {2, 6}), HasSubstr("a product of 2x6 and 10x6"));
  EXPECT_EQ(shape_of({"MatMul", {}, {}, {{3, 1, 6, 5}}}, {4, 2, 6}), "3x4x2x5");
  EXPECT_EQ(shape_of({"MatMul", {}, {}, {{6}}}, {4, 2, 6}), "4x2");
  EXPECT_THAT(shape_of({"MatMul", {}, {}, {{5, 5}}}, {4, 2, 6}), HasSubstr("a product of 4x2x6 and 5x5"));
}

TEST(GraphShapes, Reductions) {
  EXPECT_EQ(shape_of({"ReduceMean", {ints("axes", {2, -1})}}, kMap), "1x6x1x1");
  EXPECT_EQ(shape_of({"ReduceMean", {ints("axes", {2, 3}), one_int("keepdims", 0)}}, kMap), "1x6");
  EXPECT_EQ(shape_of({"ReduceMean", {one_int("keepdims", 0)}, {{"axes", {1}}}}, kMap), "1x9x7");
  EXPECT_EQ(shape_of({"ReduceSum", {one_int("keepdims", 0)}}, kMap), "a scalar");
  EXPECT_EQ(shape_of({"ReduceSum", {one_int("noop_with_empty_axes", 1)}}, kMap), "1x6x9x7");
  EXPECT_THAT(shape_of({"ReduceSum", {ints("axes", {4})}}, kMap), HasSubstr("axis 4 of a value of rank 4"));
  EXPECT_EQ(shape_of({"ArgMax", {one_int("axis", 1), one_int("keepdims", 0)}}, kMap), "1x9x7");
}

TEST(GraphShapes, Arrangements) {
  EXPECT_EQ(shape_of({"Flatten"}, kMap), "1x378");
  EXPECT_EQ(shape_of({"Flatten", {one_int("axis", 0)}}, kMap), "1x378");
  EXPECT_EQ(shape_of({"Flatten", {one_int("axis", -1)}}, kMap), "54x7");
  EXPECT_EQ(shape_of({"Reshape", {}, {{"s", {0, -1, 7}}}}, kMap), "1x54x7");
  EXPECT_THAT(shape_of({"Reshape", {}, {{"s", {1, 5, -1}}}}, kMap), HasSubstr("1x6x9x7 can't become 1x5x1"));
  EXPECT_THAT(shape_of({"Reshape", {}, {{"s", {-1, -1}}}}, kMap), HasSubstr("two open extents"));
  EXPECT_EQ(shape_of({"Transpose", {ints("perm", {0, 2, 3, 1})}}, kMap), "1x9x7x6");
  EXPECT_EQ(shape_of({"Transpose"}, kMap), "7x9x6x1");
  EXPECT_THAT(shape_of({"Transpose", {ints("perm", {0, 2, 2, 1})}}, kMap), HasSubstr("no permutation"));
  EXPECT_EQ(shape_of({"Concat", {one_int("axis", 1)}, {}, {{1, 2, 9, 7}}}, kMap), "1x8x9x7");
  EXPECT_THAT(shape_of({"Concat", {one_int("axis", 1)}, {}, {{1, 2, 9, 8}}}, kMap), HasSubstr("it joins"));
  EXPECT_EQ(shape_of({"Squeeze", {ints("axes", {0})}}, kMap), "6x9x7");
  EXPECT_EQ(shape_of({"Squeeze"}, {1, 5, 1}), "5");
  EXPECT_THAT(shape_of({"Squeeze", {ints("axes", {1})}}, kMap), HasSubstr("it squeezes axis 1 of 1x6x9x7"));
  EXPECT_EQ(shape_of({"Unsqueeze", {}, {{"axes", {0, -1}}}}, {5, 4}), "1x5x4x1");
  EXPECT_EQ(shape_of({"Gather", {one_int("axis", 1)}, {{"i", {0, 2}}}}, {1, 5, 4}), "1x2x4");
  EXPECT_THAT(shape_of({"Gather", {one_int("axis", 1)}, {{"i", {5}}}}, {1, 5, 4}),
              HasSubstr("element 5 of 5"));
  EXPECT_EQ(shape_of({"Expand", {}, {{"s", {3, 1, 4}}}}, {1, 5, 4}), "3x5x4");
  EXPECT_EQ(shape_of({"Tile", {}, {{"r", {1, 2, 3}}}}, {1, 5, 4}), "1x10x12");
  EXPECT_EQ(shape_of({"Pad", {ints("pads", {0, 0, 1, 2, 0, 0, 3, -1})}}, kMap), "1x6x13x8");
  EXPECT_EQ(shape_of({"DepthToSpace", {one_int("blocksize", 2)}}, {1, 8, 3, 3}), "1x2x6x6");
  EXPECT_EQ(shape_of({"SpaceToDepth", {one_int("blocksize", 2)}}, {1, 2, 6, 6}), "1x8x3x3");
}

TEST(GraphShapes, Slices) {
  const auto slice = [](std::int64_t start, std::int64_t end, std::int64_t step) {
    return shape_of({"Slice", {}, {{"starts", {start}}, {"ends", {end}}, {"axes", {1}}, {"steps", {step}}}},
                    {1, 10});
  };
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(slice(0, 1, 1), "1x1");
  EXPECT_EQ(slice(2, kLast, 3), "1x3");
  EXPECT_EQ(slice(-3, kLast, 1), "1x3");
  EXPECT_EQ(slice(kFirst, -1, 1), "1x9");
  EXPECT_EQ(slice(5, 2, 1), "1x0");
  EXPECT_EQ(slice(kLast, kFirst, -1), "1x10");
  EXPECT_EQ(slice(-1, kFirst, kFirst), "1x1");
  EXPECT_EQ(slice(8, 2, -2), "1x3");
  EXPECT_THAT(slice(0, 1, 0), HasSubstr("a step of 0"));
}

TEST(GraphShapes, PartsOfASplit) {
  const auto third = [](const Node& node) {
    OnnxModel model = model_of(node, 3);
    std::swap(model.nodes[0].outputs[0], model.nodes[0].outputs[2]);
    return shape_behind(model, {1, 10});
  };
  EXPECT_EQ(shape_behind(model_of({"Split", {one_int("axis", 1)}}, 3), {1, 10}), "1x4");
  EXPECT_EQ(third({"Split", {one_int("axis", 1), ints("split", {5, 4, 1})}}), "1x5");
  EXPECT_THAT(shape_behind(model_of({"Split", {one_int("axis", 1), ints("split", {5, 4, 2})}}, 3), {1, 10}),
              HasSubstr("not 10 together"));
  EXPECT_THAT(shape_behind(model_of({"Split", {one_int("axis", 1), ints("split", {5, 5})}}, 3), {1, 10}),
              HasSubstr("2 parts for 3 outputs"));
}

TEST(GraphShapes, Elementwise) {
  EXPECT_EQ(shape_of({"Relu"}, kMap), "1x6x9x7");
  EXPECT_EQ(shape_of({"Add", {}, {}, {{6, 1, 1}}}, kMap), "1x6x9x7");
  EXPECT_EQ(shape_of({"Mul", {}, {}, {{4, 1, 9, 1}}}, kMap), "4x6x9x7");
  EXPECT_THAT(shape_of({"Add", {}, {}, {{5, 1, 1}}}, kMap),
              HasSubstr("1x6x9x7 and 5x1x1 don't fit together"));
}

// How exporters flatten: Reshape(x, Concat(Gather(Shape(x), 0), -1)), with the arithmetic that some add.
TEST(GraphShapes, ShapesThatTheGraphComputes) {
  const OnnxModel model =
      test::small_graph({{"Shape", "", {"x"}, {"shape"}, {}, ""},
                         {"Gather", "", {"shape", "zero"}, {"batch"}, {one_int("axis", 0)}, ""},
                         {"Slice", "", {"shape", "two", "four"}, {"sides"}, {}, ""},
                         {"ReduceProd", "", {"sides"}, {"pixels"}, {one_int("keepdims", 1)}, ""},
                         {"Mul", "", {"pixels", "two"}, {"twice"}, {}, ""},
                         {"Cast", "", {"twice"}, {"same"}, {one_int("to", 7)}, ""},
                         {"Div", "", {"same", "two"}, {"again"}, {}, ""},
                         {"Concat", "", {"batch", "minus", "again"}, {"wanted"}, {one_int("axis", 0)}, ""},
                         {"Reshape", "", {"x", "wanted"}, {"y"}, {}, ""}},
                        {test::integer_tensor("zero", std::vector<std::int64_t>{0}),
                         test::integer_tensor("two", std::vector<std::int64_t>{2}),
                         test::integer_tensor("four", std::vector<std::int64_t>{4}),
                         test::integer_tensor("minus", std::vector<std::int64_t>{-1})});
  EXPECT_EQ(shape_behind(model, {2, 6, 4, 5}), "2x6x20");
}

TEST(GraphShapes, WhatIsNotKnownSaysWhy) {
  OnnxModel model = test::small_graph(
      {{"NonMaxSuppression", "", {"x"}, {"y"}, {}, ""}, {"Relu", "", {"y"}, {"z"}, {}, ""}});
  const std::vector<std::byte> bytes = test::onnx_file(model);
  const OnnxGraph graph = parse_onnx(bytes);
  const GraphShapes shapes = infer_shapes(graph, kMap);
  EXPECT_THAT(shapes.unknown_operations, ::testing::ElementsAre("NonMaxSuppression"));
  EXPECT_FALSE(shapes.values.contains("z"));
  // A shape that depends on the image, and an operator of another domain.
  model = test::small_graph(
      {{"Cast", "", {"x"}, {"s"}, {one_int("to", 7)}, ""}, {"Reshape", "", {"x", "s"}, {"y"}, {}, ""}});
  EXPECT_EQ(shape_behind(model, {4}), "not known");
  model = test::small_graph({{"Relu", "", {"x"}, {"y"}, {}, "com.microsoft"}});
  EXPECT_EQ(shape_behind(model, kMap), "not known");
}

TEST(GraphShapes, HugeValuesAreRefused) {
  EXPECT_THAT(shape_of({"Tile", {}, {{"r", {1, 1, 1, std::int64_t{1} << 40}}}}, kMap),
              HasSubstr("node 'it' (Tile)"));
  EXPECT_THAT(shape_of({"Expand", {}, {{"s", {std::int64_t{1} << 31, 6, 9, 7}}}}, kMap),
              HasSubstr("elements"));
  OnnxModel model =
      test::small_graph({{"Relu", "", {"x"}, {"y"}, {}, ""}}, {no_values("huge", {std::int64_t{1} << 40})});
  EXPECT_THAT(shape_behind(model, kMap), HasSubstr("tensor 'huge'"));
}

TEST(GraphShapes, ConstantsElsewhereAndGraphsWithinAreRefused) {
  OnnxModel model = test::small_graph({{"Relu", "", {"x"}, {"y"}, {}, ""}}, {no_values("w", {2})});
  model.tensors[0].external = true;
  EXPECT_THAT(shape_behind(model, kMap), HasSubstr("tensor 'w' lies in another file"));
  model.inputs.push_back({"second", {1}});
  EXPECT_THAT(shape_behind(model, kMap), HasSubstr("it has 2 inputs"));
}

}  // namespace
}  // namespace headstart
