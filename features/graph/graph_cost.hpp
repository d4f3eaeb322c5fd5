// features/graph/graph_cost.hpp: the arithmetic and the parameters of a graph.
#pragma once

#include <cstdint>
#include <string_view>

#include "features/graph/known_value.hpp"
#include "features/graph/onnx_graph.hpp"

namespace headstart {

/// Multiply-adds of the convolutions and products of matrices up to `tap` for one image. Elementwise
/// operators and pools count nothing.
/// @param values  of infer_shapes() for a batch of one
[[nodiscard]] double multiply_adds(const OnnxGraph& graph, const KnownValues& values, std::string_view tap);

/// The numbers in constants of floating point that the values up to `tap` take.
[[nodiscard]] double parameter_count(const OnnxGraph& graph, std::string_view tap);

}  // namespace headstart
