// features/onednn_engine.hpp: VGG16 on the CPU through oneDNN, by Winograd's F(4x4, 3x3) where the library
// has it. Surprise: Winograd needs AVX-512 and oneDNN up to 3.1; elsewhere the same engine runs direct
// convolutions and says so.
#pragma once

#include <memory>

#include "features/engine.hpp"

namespace headstart {

/// Plans every layer down to the deepest tap, reorders the weights once (36/9 of their size for Winograd, 235
/// MB in all) and allocates two activation buffers and one scratchpad: at 224 x 224 and the default batch of
/// 8 about 0.7 GB. `weights` isn't needed afterwards. Construction and run() use the thread count of
/// `options` for OpenMP regions of the calling thread, and put it back.
/// @throws Error kFailed naming the layer
[[nodiscard]] std::unique_ptr<Engine> open_onednn_engine(const Vgg16Weights& weights,
                                                         const EngineOptions& options);

/// The same by direct convolutions only, as where the library has no Winograd: for tests and benchmarks.
[[nodiscard]] std::unique_ptr<Engine> open_direct_onednn_engine(const Vgg16Weights& weights,
                                                                const EngineOptions& options);

/// Always available; the detail says which library and whether Winograd runs on this CPU.
[[nodiscard]] EngineAvailability probe_onednn();

}  // namespace headstart
