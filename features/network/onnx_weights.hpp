// features/network/onnx_weights.hpp: finds a network's convolutions in an ONNX graph.
#pragma once

#include <string>

#include "features/graph/onnx_graph.hpp"
#include "features/network/stored_weights.hpp"
#include "features/network/weights_preprocessing.hpp"

namespace headstart {

/// Finds the convolutions by their order, and checks that they are connected like the network's. That
/// means 3x3, stride 1, padding 1, a ReLU behind each, and a 2x2 max-pool behind each block but the last.
/// Nodes behind the last convolution are not checked. The result points into the graph's file.
/// @throws Error kFailed naming the layer, with the found and the needed value
[[nodiscard]] StoredConvolutions find_convolutions(const OnnxGraph& graph, const WeightsSource& source);

/// The origin by the names of convolutions and their kernels, if they show it, else by the model's producer.
[[nodiscard]] WeightsOrigin origin_of(const OnnxGraph& graph);

}  // namespace headstart
