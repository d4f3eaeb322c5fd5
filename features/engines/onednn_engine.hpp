// features/engines/onednn_engine.hpp: VGGs on the CPU through oneDNN, with Winograd's F(4x4, 3x3) where the
// library has it. A plugin (headstart_onednn.so, with blocks/onednn_blocks), because oneDNN is 33 MB of code
// that the program needs only if it is asked for. Note: Winograd needs AVX-512 and oneDNN up to 3.1.
// Otherwise the same engine runs direct convolutions and says so.
#pragma once

#include <memory>

#include "features/engines/availability.hpp"
#include "features/engines/engine.hpp"
#include "features/engines/plugin.hpp"

namespace headstart {

/// Plans every layer up to the last tap. Reorders the weights once (36/9 of their size for Winograd, 235 MB
/// in all). Allocates two activation buffers and one scratchpad: about 0.7 GB at 224 x 224 and the default
/// batch of 8. `weights` isn't needed afterwards. Construction and run() set the thread count of `options`
/// for OpenMP regions of the calling thread, and restore the old count.
/// @throws Error kFailed naming the layer, also one that is no convolution of 3x3 and no max-pool of 2x2
[[nodiscard]] std::unique_ptr<Engine> open_onednn_engine(const NetworkWeights& weights,
                                                         const EngineOptions& options);

/// Like open_onednn_engine(), with direct convolutions only, as if the library had no Winograd; for tests and
/// benchmarks.
[[nodiscard]] std::unique_ptr<Engine> open_direct_onednn_engine(const NetworkWeights& weights,
                                                                const EngineOptions& options);

/// The detail names the library and says whether Winograd runs on this CPU.
[[nodiscard]] Availability probe_onednn();

// ---- what the plugin exports

extern "C" {
Engine* headstart_open_onednn_engine(const NetworkWeights& weights, const EngineOptions& options);
void headstart_probe_onednn_engine(Availability& found);
}
inline constexpr PluginFunction<decltype(headstart_open_onednn_engine)> kOpenOnednn{
    "onednn", "headstart_open_onednn_engine"};
inline constexpr PluginFunction<decltype(headstart_probe_onednn_engine)> kProbeOnednn{
    "onednn", "headstart_probe_onednn_engine"};

}  // namespace headstart
