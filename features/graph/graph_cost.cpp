// features/graph/graph_cost.cpp
#include "features/graph/graph_cost.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <vector>

namespace headstart {
namespace {

/// The nodes that `tap` needs: whether node i is one of them.
std::vector<bool> needed_nodes(const OnnxGraph& graph, std::string_view tap) {
  std::vector<bool> needed(graph.nodes.size(), false);
  if (const auto maker = graph.makers.find(tap); maker != graph.makers.end()) needed[maker->second] = true;
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {  // nodes lie behind those that they take from
    if (!needed[i]) continue;
    for (const std::string_view input : graph.nodes[i].inputs) {
      if (const auto maker = graph.makers.find(input); maker != graph.makers.end())
        needed[maker->second] = true;
    }
  }
  return needed;
}

double product(const Extents& shape, std::size_t first) {
  double result = 1.0;
  for (std::size_t axis = first; axis < shape.size(); ++axis) result *= static_cast<double>(shape[axis]);
  return result;
}

double multiply_adds_of(const OnnxNode& node, const KnownValues& values) {
  const auto shape = [&](std::string_view name) -> const Extents* {
    const auto found = values.find(name);
    return found == values.end() ? nullptr : &found->second.shape;
  };
  if (node.inputs.size() < 2 || node.outputs.empty()) return 0.0;
  const Extents* const a = shape(node.inputs[0]);
  const Extents* const b = shape(node.inputs[1]);
  const Extents* const result = shape(node.outputs[0]);
  if (a == nullptr || b == nullptr || result == nullptr) return 0.0;
  // A kernel is [outputs, inputs of a group, ...]; a transposed one [inputs, outputs of a group, ...].
  if (node.operation == "Conv") return product(*result, 0) * product(*b, 1);
  if (node.operation == "ConvTranspose") return product(*a, 0) * product(*b, 1);
  if (node.operation == "MatMul") return product(*result, 0) * static_cast<double>(a->back());
  if (node.operation != "Gemm") return 0.0;
  const OnnxAttribute* const transposed = find_attribute(node, "transA");
  const bool rows_inside = transposed != nullptr && transposed->integer.value_or(0) != 0;
  return product(*result, 0) * static_cast<double>((*a)[rows_inside ? 0 : 1]);
}

bool is_real(const OnnxTensor& tensor) {
  constexpr std::array<std::uint64_t, 4> kReal{1, 10, 11, 16};  // float32, float16, float64, bfloat16
  return std::find(kReal.begin(), kReal.end(), tensor.type) != kReal.end();
}

double count_of(const OnnxTensor& tensor) {
  return is_real(tensor) ? static_cast<double>(element_count(tensor.shape)) : 0.0;
}

}  // namespace

double multiply_adds(const OnnxGraph& graph, const KnownValues& values, std::string_view tap) {
  const std::vector<bool> needed = needed_nodes(graph, tap);
  double sum = 0.0;
  for (std::size_t i = 0; i < needed.size(); ++i) {
    if (needed[i]) sum += multiply_adds_of(graph.nodes[i], values);
  }
  return sum;
}

double parameter_count(const OnnxGraph& graph, std::string_view tap) {
  const std::vector<bool> needed = needed_nodes(graph, tap);
  std::unordered_set<std::string_view> counted;
  double sum = 0.0;
  for (std::size_t i = 0; i < needed.size(); ++i) {
    if (!needed[i]) continue;
    for (const std::string_view input : graph.nodes[i].inputs) {
      const auto tensor = graph.initializers.find(input);
      if (tensor != graph.initializers.end() && counted.insert(input).second) sum += count_of(tensor->second);
    }
    for (const OnnxAttribute& attribute : graph.nodes[i].attributes) {
      if (attribute.tensor) sum += count_of(*attribute.tensor);
    }
  }
  return sum;
}

}  // namespace headstart
