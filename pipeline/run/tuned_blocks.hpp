// pipeline/run/tuned_blocks.hpp: VGG blocks in training as the lower layers of a head. features/ has the
// blocks, head/ trains them; neither knows the other.
#pragma once

#include <memory>

#include "features/blocks/trainable_blocks.hpp"
#include "head/representation/lower_layers.hpp"

namespace headstart {

/// How the VGG blocks are trained, where the head is trained otherwise.
struct TunedBlocksOptions {
  double rate = 1.0;   ///< the learning rate of the VGG blocks, divided by that of the head
  double l2_sp = 0.0;  ///< lambda of lambda * sum((W - W_0)^2) over the VGG blocks' kernels
};

/// `blocks`, whose arrays are kernel and bias of each convolution.
[[nodiscard]] std::unique_ptr<LowerLayers> lower_layers(std::unique_ptr<TrainableBlocks> blocks,
                                                        const TunedBlocksOptions& options);

}  // namespace headstart
