// features/onnx_weights.hpp: VGG16's convolutions in an ONNX graph.
#pragma once

#include <string>

#include "features/onnx_graph.hpp"
#include "features/stored_weights.hpp"
#include "features/weights_preprocessing.hpp"

namespace headstart {

/// Finds the thirteen by their order, and checks that they are joined as VGG16's are: 3x3, stride 1, padding
/// 1, a ReLU behind each, a 2x2 max-pool behind each block but the last (what follows block5_conv3 is not
/// looked at). They point into the graph's file.
/// @param file  what errors call it
/// @throws Error kFailed naming the layer, and found against needed
[[nodiscard]] StoredConvolutions find_convolutions(const OnnxGraph& graph, const std::string& file);

/// By the names of convolutions and their kernels where they tell, else by the model's producer.
[[nodiscard]] WeightsOrigin origin_of(const OnnxGraph& graph);

}  // namespace headstart
