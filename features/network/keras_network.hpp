// features/network/keras_network.hpp: finds a network anywhere in the graph of a Keras model, and checks it
// layer by layer.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "features/network/keras_graph.hpp"
#include "features/network/network_input.hpp"
#include "features/network/stored_weights.hpp"

namespace headstart {

/// The nodes of a network's convolutions, in order.
using KerasConvolutions = std::vector<std::size_t>;

/// Finds a chain of convolutions that are connected like the network's: 3x3, stride 1, padding 1, a ReLU
/// behind each, a 2x2 max-pool behind each block but the last. The rest of the graph is not checked.
/// @throws Error kFailed naming the layer that differs, or saying that there are two such chains
[[nodiscard]] KerasConvolutions find_chain(const KerasGraph& graph, const WeightsSource& source);

/// The stored values of a layer, in the file's order.
using KerasLayerValues = std::function<std::vector<std::vector<float>>(const KerasNode& layer)>;

/// The graph's changes to its input before `convolution`. @param values  reads the stored values of an
/// adapted Normalization from the file
[[nodiscard]] NetworkInput input_of(const KerasGraph& graph, std::size_t convolution,
                                    const KerasLayerValues& values);

}  // namespace headstart
