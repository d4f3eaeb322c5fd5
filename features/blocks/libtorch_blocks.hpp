// features/blocks/libtorch_blocks.hpp: trainable VGG blocks on libtorch, on a GPU if there is one. Optional
// at build time: libtorch_blocks.cpp is then a plugin, and libtorch_plugin.cpp loads it.
#pragma once

#include <memory>

#include "features/blocks/trainable_blocks.hpp"
#include "features/engines/availability.hpp"

namespace headstart {

/// See open_trainable_blocks(). Uses the first CUDA device that libtorch sees, else the CPU.
/// @throws Error kFailed if this build has no libtorch, or libtorch fails
[[nodiscard]] std::unique_ptr<TrainableBlocks> open_libtorch_blocks(const NetworkWeights& weights,
                                                                    const BlocksOptions& options);

[[nodiscard]] Availability probe_libtorch_blocks();

// ---- what the plugin exports

using LibtorchOpen = TrainableBlocks* (*)(const NetworkWeights& weights, const BlocksOptions& options);
using LibtorchProbe = void (*)(Availability& found);
inline constexpr const char* kLibtorchOpenName = "headstart_open_libtorch_blocks";
inline constexpr const char* kLibtorchProbeName = "headstart_probe_libtorch_blocks";

}  // namespace headstart
