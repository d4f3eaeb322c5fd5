// features/graph/graph_shapes.cpp
#include "features/graph/graph_shapes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "features/graph/shape_rule.hpp"

namespace headstart {
namespace {

constexpr std::size_t kMostAxes = 16;

ShapeRule rule_of(const OnnxNode& node) {
  if (!node.domain.empty() && node.domain != "ai.onnx") return nullptr;
  for (const ShapeRules* const rules : {&layer_rules(), &arrangement_rules(), &number_rules()}) {
    if (const auto found = rules->find(node.operation); found != rules->end()) return found->second;
  }
  return nullptr;
}

/// The known values that a node takes; nothing if one of them is not known.
std::optional<std::vector<const KnownValue*>> inputs_of(const OnnxNode& node, const KnownValues& values) {
  std::vector<const KnownValue*> inputs;
  for (const std::string_view name : node.inputs) {
    const auto found = values.find(name);
    if (found == values.end() && !name.empty()) return std::nullopt;
    inputs.push_back(name.empty() ? nullptr : &found->second);
  }
  return inputs;
}

std::string name_of(const OnnxNode& node) {
  const std::string_view name = !node.name.empty() || node.outputs.empty() ? node.name : node.outputs.front();
  return fmt::format("node '{}' ({})", name, node.operation);
}

void check(const KnownValue& value) {
  if (value.shape.size() > kMostAxes)
    throw std::invalid_argument(fmt::format("a value of {} axes", value.shape.size()));
  static_cast<void>(elements_of(value.shape));
}

/// The known values of the outputs; nothing if they are not known.
std::optional<std::vector<KnownValue>> outputs_of(const OnnxNode& node, const KnownValues& values) {
  const ShapeRule rule = rule_of(node);
  if (rule == nullptr) return std::nullopt;
  auto inputs = inputs_of(node, values);
  if (!inputs) return std::vector<KnownValue>{};
  try {
    std::vector<KnownValue> outputs = rule(NodeInputs(node, *std::move(inputs)));
    for (const KnownValue& output : outputs) check(output);
    return outputs;
  } catch (const NotKnown&) {
    return std::nullopt;
  }
}

void check_node(const OnnxNode& node) {
  for (const OnnxAttribute& attribute : node.attributes) {
    if (attribute.graph) throw std::invalid_argument("it holds a graph of its own");
    if (attribute.tensor && attribute.tensor->elsewhere)
      throw std::invalid_argument("its constant lies in another file");
  }
}

void add_initializers(const OnnxGraph& graph, KnownValues& values) {
  for (const auto& [name, tensor] : graph.initializers) {
    if (tensor.elsewhere) throw std::invalid_argument(fmt::format("tensor '{}' lies in another file", name));
    values.emplace(name, known_value_of(tensor));
  }
}

/// A shape that the file states has to be the one that the nodes give.
void check_stated(const OnnxValue& stated, const KnownValues& values) {
  const auto found = values.find(stated.name);
  if (found == values.end() || stated.shape.empty()) return;
  const Extents& shape = found->second.shape;
  bool same = stated.shape.size() == shape.size();
  for (std::size_t axis = 0; same && axis < shape.size(); ++axis)
    same = stated.shape[axis].value_or(shape[axis]) == shape[axis];
  if (same) return;
  std::vector<std::string> extents;
  for (const std::optional<std::int64_t>& extent : stated.shape)
    extents.push_back(extent ? std::to_string(*extent) : "?");
  throw std::invalid_argument(fmt::format("its value '{}' is {}, and stated to be {}", stated.name,
                                          to_string(shape), fmt::join(extents, "x")));
}

}  // namespace

GraphShapes infer_shapes(const OnnxGraph& graph, const Extents& input) {
  if (graph.inputs.size() != 1)
    throw std::invalid_argument(fmt::format("it has {} inputs, needed one: images", graph.inputs.size()));
  GraphShapes shapes;
  add_initializers(graph, shapes.values);
  shapes.values[graph.inputs.front().name] = {input};
  for (const OnnxNode& node : graph.nodes) {
    std::optional<std::vector<KnownValue>> outputs;
    try {
      check_node(node);
      outputs = outputs_of(node, shapes.values);
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument(fmt::format("{}: {}", name_of(node), error.what()));
    }
    if (!outputs) {
      const std::string operation(node.operation);
      auto& unknown = shapes.unknown_operations;
      if (std::find(unknown.begin(), unknown.end(), operation) == unknown.end()) unknown.push_back(operation);
      continue;
    }
    for (std::size_t i = 0; i < std::min(outputs->size(), node.outputs.size()); ++i) {
      if (!node.outputs[i].empty()) shapes.values[node.outputs[i]] = std::move((*outputs)[i]);
    }
  }
  for (const std::vector<OnnxValue>* const stated : {&graph.outputs, &graph.stated}) {
    for (const OnnxValue& value : *stated) check_stated(value, shapes.values);
  }
  return shapes;
}

}  // namespace headstart
