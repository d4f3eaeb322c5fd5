// features/graph/graph_shapes.hpp: the shapes of all values of a graph for one size of its input, before
// anything runs. So taps, costs and limits are known without an engine, and a graph that contradicts itself
// is an error.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "features/graph/known_value.hpp"
#include "features/graph/onnx_graph.hpp"

namespace headstart {

struct GraphShapes {
  KnownValues values;
  /// Operators without a rule, and those whose shapes depend on what runs: each once. What comes behind them
  /// is not known.
  std::vector<std::string> unknown_operations;
};

/// @param graph  outlives the result
/// @param input  the shape of the graph's only input
/// @throws std::invalid_argument with node and reason: shapes that contradict each other, a value above
/// kMostElements, a shape that the file states otherwise, constants in another file, a graph within the
/// graph, not one input
[[nodiscard]] GraphShapes infer_shapes(const OnnxGraph& graph, const Extents& input);

}  // namespace headstart
