// tests/features/graph/onnx_graph_test.cpp: ModelProto as the wire has it.
#include "features/graph/onnx_graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/features/network/onnx_file.hpp"

namespace headstart {
namespace {

using test::append_bytes;
using test::append_number;
using test::OnnxModel;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string refusal_of(std::span<const std::byte> bytes) {
  try {
    (void)parse_onnx(bytes);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

/// A model whose graph has these bytes.
std::string model_with(const std::string& graph) {
  std::string message;
  append_bytes(message, 7, graph);
  return message;
}

OnnxModel small_model() {
  const std::vector<float> values{1.0F, 2.0F};
  OnnxModel model{"maker", {}, {}, {{"key", "value"}}};
  model.tensors.push_back(test::float_tensor("w", {2, 1}, values));
  model.nodes.push_back(
      {"Conv", "first", {"x", "w"}, {"y"}, {{"strides", {1, -1}, {}, "text", {}}}, "some.domain"});
  model.nodes.push_back({"Relu", "second", {"y"}, {"z"}, {{"axis", {}, -3, "", {}}}, ""});
  return model;
}

TEST(OnnxGraph, NodesTensorsAndMetadataAreRead) {
  const std::vector<std::byte> bytes = test::onnx_file(small_model());
  const OnnxGraph graph = parse_onnx(bytes);
  EXPECT_EQ(graph.producer, "maker");
  EXPECT_EQ(graph.metadata.at("key"), "value");
  ASSERT_EQ(graph.nodes.size(), 2U);
  EXPECT_EQ(graph.nodes[0].operation, "Conv");
  EXPECT_EQ(graph.nodes[0].domain, "some.domain");
  EXPECT_THAT(graph.nodes[0].inputs, ElementsAre("x", "w"));
  const OnnxAttribute* const strides = find_attribute(graph.nodes[0], "strides");
  ASSERT_NE(strides, nullptr);
  EXPECT_THAT(strides->integers, ElementsAre(1, -1));
  EXPECT_EQ(strides->text, "text");
  EXPECT_EQ(find_attribute(graph.nodes[0], "pads"), nullptr);
  EXPECT_EQ(find_attribute(graph.nodes[1], "axis")->integer, -3);
  EXPECT_EQ(graph.makers.at("z"), 1U);
  const OnnxTensor& tensor = graph.initializers.at("w");
  EXPECT_EQ(tensor.shape, (TensorShape{2, 1}));
  EXPECT_EQ(tensor.type, 1U);
  EXPECT_EQ(tensor.values.size(), 8U);
  EXPECT_FALSE(tensor.elsewhere || tensor.in_other_field);
}

TEST(OnnxGraph, InputsOutputsAndOpsetAreRead) {
  OnnxModel model = small_model();
  model.inputs = {{"x", {-1, 3, 224, 224}}, {"w", {2, 1}}};  // old files list initializers too
  model.outputs = {{"z", {1, 10}, 2}};
  const std::vector<std::byte> bytes = test::onnx_file(model);
  const OnnxGraph graph = parse_onnx(bytes);
  EXPECT_EQ(graph.opset, 17);
  ASSERT_EQ(graph.inputs.size(), 1U);
  EXPECT_EQ(graph.inputs[0].name, "x");
  EXPECT_EQ(graph.inputs[0].type, 1U);
  EXPECT_THAT(graph.inputs[0].shape, ElementsAre(std::nullopt, 3, 224, 224));
  ASSERT_EQ(graph.outputs.size(), 1U);
  EXPECT_EQ(graph.outputs[0].type, 2U);
  EXPECT_THAT(graph.outputs[0].shape, ElementsAre(1, 10));
  model.outputs.clear();
  model.inputs.push_back({"y", {}});
  EXPECT_THAT(refusal_of(test::onnx_file(model)), HasSubstr("'y' is made twice"));
}

TEST(OnnxGraph, PackedDimensionsAreReadToo) {
  std::string packed;
  test::append_varint(packed, 3);
  test::append_varint(packed, 300);
  std::string tensor;
  append_bytes(tensor, 1, packed);
  append_bytes(tensor, 8, "w");
  std::string graph;
  append_bytes(graph, 5, tensor);
  const std::string model = model_with(graph);
  EXPECT_EQ(parse_onnx(bytes_of(model)).initializers.at("w").shape, (TensorShape{3, 300}));
}

TEST(OnnxGraph, ValuesInSeveralPiecesOrOtherFieldsAreNoted) {
  for (const std::uint32_t field : {5U, 7U}) {
    OnnxModel model = small_model();
    model.tensors[0].values_field = field;
    const std::vector<std::byte> bytes = test::onnx_file(model);
    EXPECT_TRUE(parse_onnx(bytes).initializers.at("w").in_other_field) << field;
  }
  std::string tensor;
  append_bytes(tensor, 8, "w");
  append_bytes(tensor, 4, "1234");
  append_bytes(tensor, 4, "5678");
  std::string graph;
  append_bytes(graph, 5, tensor);
  const std::string model = model_with(graph);
  EXPECT_TRUE(parse_onnx(bytes_of(model)).initializers.at("w").in_other_field);
}

TEST(OnnxGraph, ExternalValuesAreNoted) {
  OnnxModel model = small_model();
  model.tensors[0].external = true;
  const std::vector<std::byte> bytes = test::onnx_file(model);
  EXPECT_TRUE(parse_onnx(bytes).initializers.at("w").elsewhere);
}

TEST(OnnxGraph, TwoOfOneNameAreRefused) {
  OnnxModel model = small_model();
  model.tensors.push_back(model.tensors[0]);
  EXPECT_THAT(refusal_of(test::onnx_file(model)), HasSubstr("two initializers 'w'"));
  model = small_model();
  model.nodes[1].outputs = {"y"};
  EXPECT_THAT(refusal_of(test::onnx_file(model)), HasSubstr("'y' is made twice"));
  model.nodes[1].outputs = {"w"};
  EXPECT_THAT(refusal_of(test::onnx_file(model)), HasSubstr("'w' is made twice"));
}

TEST(OnnxGraph, NodesOutOfOrderAreRefused) {
  OnnxModel model = small_model();
  std::swap(model.nodes[0], model.nodes[1]);
  EXPECT_THAT(refusal_of(test::onnx_file(model)), HasSubstr("'y' is used before it is made"));
  model = small_model();
  model.nodes[0].inputs[0] = "y";
  EXPECT_THAT(refusal_of(test::onnx_file(model)), HasSubstr("'y' is used before it is made"));
}

TEST(OnnxGraph, AModelHasOneGraph) {
  std::string none;
  append_number(none, 1, 8);
  EXPECT_THAT(refusal_of(bytes_of(none)), HasSubstr("no graph"));
  EXPECT_THAT(refusal_of({}), HasSubstr("no graph"));
  EXPECT_THAT(refusal_of(bytes_of(model_with("") + model_with(""))), HasSubstr("two graphs"));
}

TEST(OnnxGraph, FieldsOfTheWrongKindAreRefused) {
  std::string number;
  append_number(number, 7, 1);
  EXPECT_THAT(refusal_of(bytes_of(number)), HasSubstr("field 7 that is a number"));
  std::string tensor;
  append_bytes(tensor, 2, "float");
  std::string graph;
  append_bytes(graph, 5, tensor);
  EXPECT_THAT(refusal_of(bytes_of(model_with(graph))), HasSubstr("field 2 that is no number"));
}

TEST(OnnxGraph, NegativeDimensionsAreRefused) {
  OnnxModel model = small_model();
  model.tensors[0].extents = {2, -1};
  EXPECT_THAT(refusal_of(test::onnx_file(model)), HasSubstr("tensor 'w' has -1"));
}

TEST(OnnxGraph, AFileOfEmptyPartsDoesNotFillTheMemory) {
  std::string nodes;
  for (std::size_t i = 0; i <= kMaxOnnxParts; ++i) append_bytes(nodes, 1, "");
  EXPECT_THAT(refusal_of(bytes_of(model_with(nodes))), HasSubstr("more than 1000000"));
  std::string inputs;
  for (std::size_t i = 0; i <= kMaxOnnxParts; ++i) append_bytes(inputs, 1, "");
  std::string graph;
  append_bytes(graph, 1, inputs);
  EXPECT_THAT(refusal_of(bytes_of(model_with(graph))), HasSubstr("more than 1000000"));
}

}  // namespace
}  // namespace headstart
