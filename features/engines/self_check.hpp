// features/engines/self_check.hpp: checks an engine on one row before its features are used. The embedded
// weights at 224 x 224 are compared with Keras's values. Any other weights or input size are compared with
// another engine, because two libraries without common code rarely make the same error. Note: an intact
// program can still fail here, if the library's compute routines are wrong on this CPU or GPU.
#pragma once

#include <vector>

#include "features/engines/engine.hpp"
#include "features/network/weights.hpp"

namespace headstart {

/// The test image of every engine: RGB 0..255, [size, size, 3]; a smooth wave with noise from an integer
/// hash.
[[nodiscard]] std::vector<float> self_check_image(int input_size);

/// Whether Keras's values are known for these weights at this input size.
[[nodiscard]] bool has_golden_row(const NetworkWeights& weights, int input_size);

/// Runs one batch and compares its first and last row with Keras's values. Norm and 32 activations of each
/// tap have to agree to 1e-5 (fp16: 1e-2); the rows between them are not compared. Only if has_golden_row().
/// @param below  only for an engine that begins at a tap: an engine whose only tap is that tap
/// @throws Error kFailed naming the engine, the tap, the error found and the allowed error
void check_against_keras(Engine& engine, const Preprocessing& preprocessing, Engine* below = nullptr);

/// Compares every activation with those of `reference`, an engine that begins at the image, with the same
/// taps and input size. The tolerance is twice that of check_against_keras(), because both engines may err.
/// Costs one batch of each engine. If `engine` begins at a tap, `reference` has that tap as one more tap, its
/// last.
void check_against_engine(Engine& engine, Engine& reference, const Preprocessing& preprocessing);

}  // namespace headstart
