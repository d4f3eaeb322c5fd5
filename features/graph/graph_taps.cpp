// features/graph/graph_taps.cpp
#include "features/graph/graph_taps.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <unordered_set>

namespace headstart {
namespace {

constexpr std::int64_t kMostActivations = std::int64_t{1} << 28;  // of an image: 1 GB

using Names = std::unordered_set<std::string_view>;

/// The values that depend on the image. A shape is the same for all images.
Names depending(const OnnxGraph& graph) {
  Names names;
  for (const OnnxValue& input : graph.inputs) names.insert(input.name);
  for (const OnnxNode& node : graph.nodes) {
    if (node.operation == "Shape" || node.operation == "Size") continue;
    if (std::none_of(node.inputs.begin(), node.inputs.end(),
                     [&](std::string_view i) { return names.contains(i); }))
      continue;
    names.insert(node.outputs.begin(), node.outputs.end());
  }
  return names;
}

std::optional<GraphTap> tap_of(std::string_view name, const KnownValues& values) {
  const auto found = values.find(name);
  if (found == values.end() || name.empty()) return std::nullopt;
  const std::optional<MapShape> shape = map_shape_of(found->second);
  return shape ? std::optional(GraphTap{name, *shape}) : std::nullopt;
}

bool is_of_classifier(std::string_view operation) {
  constexpr std::array<std::string_view, 10> kSkipped{"Softmax", "LogSoftmax", "Gemm",    "MatMul",
                                                      "Add",     "Flatten",    "Reshape", "Squeeze",
                                                      "Dropout", "Identity"};
  return std::find(kSkipped.begin(), kSkipped.end(), operation) != kSkipped.end();
}

/// The only input of the node that depends on the image; nothing if there are several.
std::optional<std::string_view> only_input(const OnnxNode& node, const Names& names) {
  std::optional<std::string_view> only;
  for (const std::string_view input : node.inputs) {
    if (!names.contains(input)) continue;
    if (only) return std::nullopt;
    only = input;
  }
  return only;
}

bool is_global_pool(const OnnxNode& node, const KnownValues& values) {
  constexpr std::array<std::string_view, 6> kPools{"GlobalAveragePool", "GlobalMaxPool", "AveragePool",
                                                   "MaxPool",           "ReduceMean",    "ReduceMax"};
  if (std::find(kPools.begin(), kPools.end(), node.operation) == kPools.end()) return false;
  const auto from = tap_of(node.inputs.front(), values);
  const auto to = values.find(node.outputs.front());
  return from && from->shape.height * from->shape.width > 1 && to != values.end() &&
         elements_of(to->second.shape) == from->shape.channels;
}

}  // namespace

std::optional<MapShape> map_shape_of(const KnownValue& value) {
  const Extents& shape = value.shape;
  if (shape.size() < 2 || shape.size() > 4 || shape[0] != 1) return std::nullopt;
  const std::int64_t count = elements_of(shape);
  if (count < 1 || count > kMostActivations) return std::nullopt;
  const auto extent = [&](std::size_t axis) { return static_cast<int>(shape[axis]); };
  if (shape.size() == 2) return MapShape{1, 1, extent(1)};
  if (shape.size() == 3) return MapShape{extent(1), 1, extent(2)};
  return MapShape{extent(2), extent(3), extent(1)};
}

std::vector<GraphTap> taps_of(const OnnxGraph& graph, const KnownValues& values) {
  const Names names = depending(graph);
  std::vector<GraphTap> taps;
  for (const OnnxNode& node : graph.nodes) {
    for (const std::string_view output : node.outputs) {
      if (!names.contains(output)) continue;
      if (const auto tap = tap_of(output, values)) taps.push_back(*tap);
    }
  }
  return taps;
}

std::optional<GraphTap> default_tap(const OnnxGraph& graph, const KnownValues& values) {
  if (graph.outputs.empty()) return std::nullopt;
  const Names names = depending(graph);
  std::string_view name = graph.outputs.front().name;
  for (;;) {
    const auto maker = graph.makers.find(name);
    if (maker == graph.makers.end()) return std::nullopt;
    const OnnxNode& node = graph.nodes[maker->second];
    const std::optional<std::string_view> input = only_input(node, names);
    if (!input) break;
    if (is_global_pool(node, values)) {
      name = *input;
      break;
    }
    if (!is_of_classifier(node.operation)) break;
    name = *input;
  }
  return names.contains(name) && graph.makers.contains(name) ? tap_of(name, values) : std::nullopt;
}

std::vector<GraphTap> tap_candidates(const OnnxGraph& graph, const KnownValues& values) {
  std::vector<GraphTap> candidates;
  for (const GraphTap& tap : taps_of(graph, values)) {
    const auto same_size = [&](const GraphTap& other) {
      return other.shape.height == tap.shape.height && other.shape.width == tap.shape.width;
    };
    std::erase_if(candidates, same_size);
    candidates.push_back(tap);
  }
  return candidates;
}

}  // namespace headstart
