// features/graph/graph_taps.hpp: which values of a graph can be taps, and which one is the default.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "features/graph/known_value.hpp"
#include "features/graph/onnx_graph.hpp"
#include "features/map_shape.hpp"

namespace headstart {

struct GraphTap {
  std::string_view name;
  MapShape shape;
};

/// The shape in which activations are stored: a map [1, C, H, W] as H x W x C, tokens [1, T, C] as T x 1 x C,
/// a vector [1, C] as 1 x 1 x C. Nothing for any other value.
[[nodiscard]] std::optional<MapShape> map_shape_of(const KnownValue& value);

/// The values that depend on the input and can be taps, in the order in which they are made.
/// @param values  of infer_shapes() for a batch of one
[[nodiscard]] std::vector<GraphTap> taps_of(const OnnxGraph& graph, const KnownValues& values);

/// What enters the classifier. Going back from the first output, these are skipped: Softmax, Gemm, MatMul and
/// Add with constants, Flatten, Reshape, Squeeze, Dropout, Identity; then a global pool.
/// @return nothing if there is no such tap
[[nodiscard]] std::optional<GraphTap> default_tap(const OnnxGraph& graph, const KnownValues& values);

/// The last tap of each height and width, from the image up: what a person would try beside the default.
[[nodiscard]] std::vector<GraphTap> tap_candidates(const OnnxGraph& graph, const KnownValues& values);

}  // namespace headstart
