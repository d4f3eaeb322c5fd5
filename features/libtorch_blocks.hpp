// features/libtorch_blocks.hpp: trainable blocks on libtorch: a GPU where there is one. Optional at build
// time: libtorch_blocks_none.cpp stands in for libtorch_blocks.cpp where the library is missing.
#pragma once

#include <memory>

#include "features/trainable_blocks.hpp"

namespace headstart {

/// See open_trainable_blocks(). The first CUDA device is taken where libtorch sees one, else the CPU.
/// @throws Error kFailed if this build has no libtorch, or it fails
[[nodiscard]] std::unique_ptr<TrainableBlocks> open_libtorch_blocks(const Vgg16Weights& weights,
                                                                    const BlocksOptions& options);

[[nodiscard]] BackpropAvailability probe_libtorch_blocks();

}  // namespace headstart
