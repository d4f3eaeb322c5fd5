// features/network/keras_network.hpp: finds VGG16 anywhere in the graph of a Keras model, and checks it layer
// by layer.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "features/network/keras_graph.hpp"
#include "features/network/network_input.hpp"
#include "features/network/vgg16.hpp"

namespace headstart {

/// The nodes of VGG16's convolutions, in order.
using KerasConvolutions = std::array<std::size_t, kVgg16Convolutions.size()>;

/// Finds a chain of thirteen convolutions that are connected like VGG16's: 3x3, stride 1, padding 1, a ReLU
/// behind each, a 2x2 max-pool behind each block but the last. The rest of the graph is not checked.
/// @param file  the name of the file in errors
/// @throws Error kFailed naming the layer that differs, or saying that there are two such chains
[[nodiscard]] KerasConvolutions find_vgg16(const KerasGraph& graph, const std::string& file);

/// The stored values of a layer, in the file's order.
using KerasLayerValues = std::function<std::vector<std::vector<float>>(const KerasNode& layer)>;

/// The graph's changes to its input before `convolution`. @param values  reads the stored values of an
/// adapted Normalization from the file
[[nodiscard]] NetworkInput input_of(const KerasGraph& graph, std::size_t convolution,
                                    const KerasLayerValues& values);

}  // namespace headstart
