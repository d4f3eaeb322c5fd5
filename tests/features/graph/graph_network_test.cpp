// tests/features/graph/graph_network_test.cpp: what a file has to be before an engine may see it.
#include "features/graph/graph_network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/error.hpp"
#include "tests/features/graph/small_graph.hpp"

namespace headstart {
namespace {

using test::OnnxModel;
using ::testing::HasSubstr;

std::string network_refusal(const OnnxModel& model) {
  try {
    const GraphNetwork network(test::onnx_file(model), "made-up.onnx");
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(GraphNetwork, KnowsItsSizeAndBatch) {
  const GraphNetwork fixed(test::onnx_file(test::small_classifier()), "made-up.onnx");
  EXPECT_EQ(fixed.fixed_size(), 8);
  EXPECT_TRUE(fixed.takes_batches());
  EXPECT_FALSE(fixed.takes_bytes());
  EXPECT_THROW(static_cast<void>(fixed.shapes(16)), Error);
  OnnxModel model = test::small_classifier();
  model.inputs[0].extents = {-1, 3, -1, -1};
  const GraphNetwork open(test::onnx_file(model), "made-up.onnx");
  EXPECT_EQ(open.fixed_size(), std::nullopt);
  EXPECT_EQ(open.default_size(), 224);
  EXPECT_EQ(to_string(open.shapes(32).values.at("sum").shape), "1x6x16x16");
  EXPECT_NE(open.identity(), fixed.identity());
}

TEST(GraphNetwork, ABatchOfOneWrittenIntoTheGraphIsSeen) {
  OnnxModel model = test::small_classifier();
  model.inputs[0].extents[0] = 1;
  EXPECT_FALSE(GraphNetwork(test::onnx_file(model), "made-up.onnx").takes_batches());
  model = test::small_classifier();
  model.nodes[5] = {"Reshape", "", {"pool", "shape"}, {"flat"}, {}, ""};
  model.tensors.push_back(test::integer_tensor("shape", std::vector<std::int64_t>{1, 6}));
  EXPECT_FALSE(GraphNetwork(test::onnx_file(model), "made-up.onnx").takes_batches());
}

TEST(GraphNetwork, RefusalsNameFileNodeAndRemedy) {
  OnnxModel model = test::small_classifier();
  model.tensors[2].extents = {6, 5, 3, 3};
  EXPECT_THAT(network_refusal(model),
              HasSubstr("made-up.onnx: for images of 8 x 8: node 'second' (Conv): it takes 5"));
  model = test::small_classifier();
  model.inputs[0].extents = {-1, 8, 8, 3};
  EXPECT_THAT(network_refusal(model), HasSubstr("its input 'x' has 8 channels: export it again"));
  model.inputs[0].extents = {-1, 3, 8, 9};
  EXPECT_THAT(network_refusal(model), HasSubstr("its input 'x' is 8 x 9"));
  model.inputs[0].extents = {4, 3, 8, 8};
  EXPECT_THAT(network_refusal(model), HasSubstr("its input 'x' is a batch of 4"));
  model.inputs[0].extents = {-1, 3, 8};
  EXPECT_THAT(network_refusal(model), HasSubstr("its input 'x' has 3 axes"));
  model.inputs[0] = {"x", {-1, 3, 8, 8}, 10};
  EXPECT_THAT(network_refusal(model), HasSubstr("neither float32 nor uint8"));
  try {
    const GraphNetwork network(std::vector<std::byte>(100, std::byte{'#'}), "README.md");
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("README.md: is no ONNX file, or a damaged one: "));
  }
  model.inputs.clear();
  EXPECT_THAT(network_refusal(model), HasSubstr("it has 0 inputs"));
}

TEST(GraphNetwork, ManyNodesAreRefused) {
  OnnxModel model = test::small_graph({{"Relu", "", {"x"}, {"y0"}, {}, ""}});
  for (std::size_t i = 1; i <= kMaxGraphNodes; ++i)
    model.nodes.push_back({"Relu", "", {"y" + std::to_string(i - 1)}, {"y" + std::to_string(i)}, {}, ""});
  EXPECT_THAT(network_refusal(model), HasSubstr("it has 20001 nodes, more than 20000"));
  model.nodes.pop_back();
  EXPECT_EQ(network_refusal(model), "accepted");
}

// A shape that the file states for its output, and that its nodes can't give.
TEST(GraphNetwork, AGraphThatLiesIsRefused) {
  OnnxModel model = test::small_classifier();
  model.outputs[0].extents = {-1, 10};
  EXPECT_EQ(network_refusal(model), "accepted");
  model.outputs[0].extents = {-1, 11};
  EXPECT_THAT(network_refusal(model), HasSubstr("its value 'logits' is 1x10, and stated to be ?x11"));
  model.outputs[0].extents = {-1, 10, 1};
  EXPECT_THAT(network_refusal(model), HasSubstr("stated to be ?x10x1"));
}

}  // namespace
}  // namespace headstart
