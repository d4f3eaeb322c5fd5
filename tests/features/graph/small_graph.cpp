// tests/features/graph/small_graph.cpp
#include "tests/features/graph/small_graph.hpp"

#include <stdexcept>
#include <utility>

#include "features/graph/graph_shapes.hpp"

namespace headstart::test {

AttributeToWrite ints(std::string name, std::vector<std::int64_t> values) {
  return {std::move(name), std::move(values), {}, {}, {}};
}

AttributeToWrite one_int(std::string name, std::int64_t value) {
  return {std::move(name), {}, value, {}, {}};
}

AttributeToWrite word(std::string name, std::string text) {
  return {std::move(name), {}, {}, std::move(text), {}};
}

TensorToWrite no_values(std::string name, std::vector<std::int64_t> extents) {
  return {std::move(name), std::move(extents), {}};
}

OnnxModel small_graph(std::vector<NodeToWrite> nodes, std::vector<TensorToWrite> tensors,
                      std::vector<std::int64_t> input) {
  OnnxModel model{"maker", std::move(nodes), std::move(tensors), {}};
  model.inputs.push_back({"x", std::move(input)});
  model.outputs.push_back({model.nodes.back().outputs.front(), {}});
  return model;
}

std::string shape_behind(const OnnxModel& model, const Extents& input) {
  const std::vector<std::byte> bytes = onnx_file(model);
  const OnnxGraph graph = parse_onnx(bytes);
  try {
    const GraphShapes shapes = infer_shapes(graph, input);
    const auto found = shapes.values.find(graph.nodes.back().outputs.front());
    return found == shapes.values.end() ? "not known" : to_string(found->second.shape);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

OnnxModel small_classifier() {
  const AttributeToWrite same = ints("pads", {1, 1, 1, 1});
  return small_graph({{"Conv", "", {"x", "w1", "b1"}, {"conv"}, {same, ints("strides", {2, 2})}, ""},
                      {"Relu", "", {"conv"}, {"relu"}, {}, ""},
                      {"Conv", "", {"relu", "w2"}, {"second"}, {same}, ""},
                      {"Add", "", {"relu", "second"}, {"sum"}, {}, ""},
                      {"GlobalAveragePool", "", {"sum"}, {"pool"}, {}, ""},
                      {"Flatten", "", {"pool"}, {"flat"}, {}, ""},
                      {"Gemm", "", {"flat", "w3", "b3"}, {"logits"}, {one_int("transB", 1)}, ""}},
                     {no_values("w1", {6, 3, 3, 3}), no_values("b1", {6}), no_values("w2", {6, 6, 3, 3}),
                      no_values("w3", {10, 6}), no_values("b3", {10})});
}

}  // namespace headstart::test
