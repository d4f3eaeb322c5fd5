// features/blocks/onednn_blocks.hpp: trainable VGG blocks on oneDNN, for any x86-64 or Arm CPU.
#pragma once

#include <memory>

#include "features/blocks/trainable_blocks.hpp"
#include "features/engines/availability.hpp"

namespace headstart {

/// See open_trainable_blocks(). @throws Error kFailed if the library fails or memory is short
[[nodiscard]] std::unique_ptr<TrainableBlocks> open_onednn_blocks(const NetworkWeights& weights,
                                                                  const BlocksOptions& options);

[[nodiscard]] Availability probe_onednn_blocks();

}  // namespace headstart
