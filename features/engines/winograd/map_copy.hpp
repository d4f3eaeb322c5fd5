// features/engines/winograd/map_copy.hpp: moves activations without computing: into channel blocks and out of
// them. Also the max-pool that is not part of a convolution.
#pragma once

#include "features/engines/winograd/activation_map.hpp"
#include "features/engines/winograd/kernels.hpp"
#include "features/engines/winograd/workspace.hpp"

namespace headstart::winograd {

// All functions run inside of Workspace::execute(). `from` and `to` hold `images` maps.

/// @param from  [images, h, w, c]
void read_channels_last(const float* from, std::size_t images, const ActivationMap& map, float* to,
                        Workspace& workspace);

/// @param to  [images, h, w, c]
void write_channels_last(const float* from, std::size_t images, const ActivationMap& map, float* to,
                         Workspace& workspace);

/// 2 x 2 maxima; an odd last row or column is left out.
void max_pool(const Kernels& kernels, const float* from, std::size_t images, const ActivationMap& source,
              const ActivationMap& pooled, float* to, Workspace& workspace);

}  // namespace headstart::winograd
