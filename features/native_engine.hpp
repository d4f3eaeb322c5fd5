// features/native_engine.hpp: VGG16 on the CPU by our own convolutions (features/winograd/), for any SIMD
// width. Invariant: a row's bits depend neither on the batch size nor on the number of threads, nor, with
// FMA, on the width of the vectors.
#pragma once

#include <memory>

#include "features/engine.hpp"
#include "features/winograd/kernels.hpp"

namespace headstart {

/// Transforms the weights once and plans all memory. `weights` isn't needed afterwards.
[[nodiscard]] std::unique_ptr<Engine> open_native_engine(const Vgg16Weights& weights,
                                                         const EngineOptions& options);
/// The same with other kernels than the best; for tests.
[[nodiscard]] std::unique_ptr<Engine> open_native_engine(const Vgg16Weights& weights,
                                                         const EngineOptions& options,
                                                         const winograd::Kernels& kernels);

/// Always available; the detail says which instruction set.
[[nodiscard]] EngineAvailability probe_native();

}  // namespace headstart
