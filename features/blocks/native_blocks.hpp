// features/blocks/native_blocks.hpp: trainable VGG blocks with headstart's own convolutions
// (features/engines/winograd/), on any CPU. Invariant: every result is exactly the same for any number of
// threads.
#pragma once

#include <memory>

#include "features/blocks/trainable_blocks.hpp"
#include "features/engines/availability.hpp"
#include "features/engines/winograd/kernels.hpp"

namespace headstart {

/// See open_trainable_blocks(). Allocates all memory in advance; a step allocates nothing.
/// @throws Error kFailed if memory is short
[[nodiscard]] std::unique_ptr<TrainableBlocks> open_native_blocks(const NetworkWeights& weights,
                                                                  const BlocksOptions& options);
/// Like open_native_blocks(), with other compute routines than the best ones; for tests.
[[nodiscard]] std::unique_ptr<TrainableBlocks> open_native_blocks(const NetworkWeights& weights,
                                                                  const BlocksOptions& options,
                                                                  const winograd::Kernels& kernels);

/// Always available; the detail names the instruction set.
[[nodiscard]] Availability probe_native_blocks();

}  // namespace headstart
