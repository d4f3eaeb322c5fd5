// features/native_blocks.hpp: trainable blocks by our own convolutions (features/winograd/), on any CPU.
// Invariant: no result depends on the number of threads by a bit.
#pragma once

#include <memory>

#include "features/trainable_blocks.hpp"
#include "features/winograd/kernels.hpp"

namespace headstart {

/// See open_trainable_blocks(). Plans all memory; nothing is allocated in a step.
/// @throws Error kFailed if memory is short
[[nodiscard]] std::unique_ptr<TrainableBlocks> open_native_blocks(const Vgg16Weights& weights,
                                                                  const BlocksOptions& options);
/// The same with other kernels than the best; for tests.
[[nodiscard]] std::unique_ptr<TrainableBlocks> open_native_blocks(const Vgg16Weights& weights,
                                                                  const BlocksOptions& options,
                                                                  const winograd::Kernels& kernels);

/// Always available; the detail says which instruction set.
[[nodiscard]] BackpropAvailability probe_native_blocks();

}  // namespace headstart
