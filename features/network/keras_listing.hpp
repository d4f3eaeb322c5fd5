// features/network/keras_listing.hpp: finds a network's kernels among the weights that a Keras file lists,
// layer by layer. Note: a model inside a model (Sequential([VGG16(), ...])) is one layer that lists all of
// its weights, trained ones before the others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "features/network/stored_weights.hpp"

namespace headstart {

struct KerasWeight {
  std::string name;  ///< in weight_names: "block1_conv1/kernel:0", "conv2d_1_W"
  std::string path;  ///< below the group that lists the layers
  std::vector<std::uint64_t> extents;
};

struct KerasLayer {
  std::string name;
  std::vector<KerasWeight> weights;  ///< none for a pool and the like
};

/// A kernel of rank four, and the vector directly behind it, or nullptr. Both point into the list of layers.
struct KerasKernel {
  const KerasWeight* kernel = nullptr;
  const KerasWeight* bias = nullptr;
};

// One for each convolution of the network, in its order.
using KerasKernels = std::vector<KerasKernel>;
using KerasPaths = std::vector<std::vector<std::string>>;

/// The weights of a layer, in the file's order. @param path  as in KerasNode
[[nodiscard]] std::vector<const KerasWeight*> weights_of(const std::vector<KerasLayer>& layers,
                                                         const std::vector<std::string>& path);

/// The kernels of the layers at `paths`.
/// @throws Error kFailed naming a layer that has none, or whose kernel can't be told from another's
[[nodiscard]] KerasKernels match_paths(const std::vector<KerasLayer>& layers, const KerasPaths& paths,
                                       const WeightsSource& source);

/// Finds the kernels of the network from the list alone. Uses Keras's names if all of them are there, else
/// the order. Refuses layers that the network doesn't have, except a head behind it.
/// @throws Error kFailed naming the layer
[[nodiscard]] KerasKernels match_listing(const std::vector<KerasLayer>& layers, const WeightsSource& source);

/// The first layer without weights before all layers with weights, if it may change values: "'rescaling'".
/// Empty if there is none.
[[nodiscard]] std::string layer_before(const std::vector<KerasLayer>& layers);

}  // namespace headstart
