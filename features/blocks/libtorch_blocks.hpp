// features/blocks/libtorch_blocks.hpp: trainable VGG blocks on libtorch, on a GPU if there is one: a plugin,
// because libtorch takes 0.3 s to load and has 400 MB of libraries. Optional at build time.
#pragma once

#include "features/blocks/trainable_blocks.hpp"
#include "features/engines/availability.hpp"
#include "features/engines/plugin.hpp"

namespace headstart {

extern "C" {
/// See open_trainable_blocks(). Uses the first CUDA device that libtorch sees, else the CPU.
/// @throws Error kFailed if libtorch fails
TrainableBlocks* headstart_open_libtorch_blocks(const NetworkWeights& weights, const BlocksOptions& options);
/// libtorch's version and device.
void headstart_probe_libtorch_blocks(Availability& found);
}
inline constexpr PluginFunction<decltype(headstart_open_libtorch_blocks)> kOpenLibtorch{
    "libtorch", "headstart_open_libtorch_blocks"};
inline constexpr PluginFunction<decltype(headstart_probe_libtorch_blocks)> kProbeLibtorch{
    "libtorch", "headstart_probe_libtorch_blocks"};

}  // namespace headstart
