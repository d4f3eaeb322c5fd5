// features/self_check.hpp: an engine proves itself on one row before its features are trusted.
// The embedded weights at 224 x 224 are held against what Keras computed; any other weights or input size
// against another engine, as two libraries that share no code don't err alike. Surprise: an intact program
// can still fail here, on a CPU or GPU whose kernels in the library are wrong.
#pragma once

#include <vector>

#include "features/engine.hpp"
#include "features/weights.hpp"

namespace headstart {

/// The image that every engine is shown: RGB 0..255, [size, size, 3]; a smooth wave with noise from an
/// integer hash.
[[nodiscard]] std::vector<float> self_check_image(int input_size);

/// Whether Keras's values are known for these weights at this input size.
[[nodiscard]] bool has_golden_row(const Vgg16Weights& weights, int input_size);

/// Runs one batch; its first and last row have to be Keras's in norm and in 32 activations of each tap, to
/// 1e-5 (fp16: 1e-2), whatever lies between them. Only where has_golden_row().
/// @param below  for an engine that begins at a tap: one that ends with just that tap; else not looked at
/// @throws Error kFailed naming the engine, the tap, and found against allowed error
void check_against_keras(Engine& engine, const Preprocessing& preprocessing, Engine* below = nullptr);

/// The same against every activation of `reference`, an engine from the image with the same taps and input
/// size; twice the tolerance, as both may err. Costs one batch of each. If the engine begins at a tap, that
/// is one more tap of the reference, its last.
void check_against_engine(Engine& engine, Engine& reference, const Preprocessing& preprocessing);

}  // namespace headstart
