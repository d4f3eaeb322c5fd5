// features/engines/native_engine.hpp: VGGs on the CPU with headstart's own convolutions
// (features/engines/winograd/), for any SIMD width. Invariant: a row is exactly the same for any batch size
// and any number of threads. With FMA it is also the same for any width of the vectors.
#pragma once

#include <memory>

#include "features/engines/availability.hpp"
#include "features/engines/engine.hpp"
#include "features/engines/winograd/kernels.hpp"

namespace headstart {

/// Transforms the weights once and allocates all memory. `weights` isn't needed afterwards. Runs convolutions
/// of 3x3 and max-pools of 2x2. A network that begins with images has to begin with two convolutions.
/// @throws Error kFailed naming a layer that it can't run
[[nodiscard]] std::unique_ptr<Engine> open_native_engine(const NetworkWeights& weights,
                                                         const EngineOptions& options);
/// Like open_native_engine(), with other compute routines than the best ones; for tests.
[[nodiscard]] std::unique_ptr<Engine> open_native_engine(const NetworkWeights& weights,
                                                         const EngineOptions& options,
                                                         const winograd::Kernels& kernels);

/// Always available; the detail names the instruction set.
[[nodiscard]] Availability probe_native();

}  // namespace headstart
