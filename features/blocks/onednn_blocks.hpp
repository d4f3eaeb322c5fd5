// features/blocks/onednn_blocks.hpp: trainable VGG blocks on oneDNN, for any x86-64 or Arm CPU: in the plugin
// of engines/onednn_engine.
#pragma once

#include "features/blocks/trainable_blocks.hpp"
#include "features/engines/availability.hpp"
#include "features/engines/plugin.hpp"

namespace headstart {

extern "C" {
/// See open_trainable_blocks(). @throws Error kFailed if the library fails or memory is short
TrainableBlocks* headstart_open_onednn_blocks(const NetworkWeights& weights, const BlocksOptions& options);
/// The detail names the library and says whether Winograd runs on this CPU.
void headstart_probe_onednn_blocks(Availability& found);
}
inline constexpr PluginFunction<decltype(headstart_open_onednn_blocks)> kOpenOnednnBlocks{
    "onednn", "headstart_open_onednn_blocks"};
inline constexpr PluginFunction<decltype(headstart_probe_onednn_blocks)> kProbeOnednnBlocks{
    "onednn", "headstart_probe_onednn_blocks"};

}  // namespace headstart
