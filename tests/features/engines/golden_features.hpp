// tests/features/engines/golden_features.hpp: golden/features.h5 against an engine: six images, all taps, any
// batch size.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "features/engines/engine.hpp"
#include "features/network/known_networks.hpp"

namespace headstart::test {

/// The embedded weights, read once a process.
[[nodiscard]] const NetworkWeights& embedded_weights();

/// The six golden images, preprocessed: [6, 224, 224, 3].
[[nodiscard]] const std::vector<float>& golden_input();
inline constexpr std::size_t kGoldenRows = 6;
inline constexpr std::size_t kGoldenRow = std::size_t{224} * 224 * 3;

/// `rows` rows through an engine, the last batch padded with zeros: for each tap [rows, h, w, c].
[[nodiscard]] std::vector<std::vector<float>> run_rows(Engine& engine, std::span<const float> input,
                                                       std::size_t rows);

/// What `upper`, an engine that begins at a tap and has all taps above it, makes of `features`, which an
/// engine gave for the golden images at all five taps: the same below, its own above. [rows, h, w, c] for
/// each tap
[[nodiscard]] std::vector<std::vector<float>> run_upper(Engine& upper,
                                                        std::vector<std::vector<float>> features);

/// Holds every tap of `engine` against Keras: all activations where they are recorded, norms and corners
/// everywhere, the share of non-zeros of block5_pool. The engine's taps must be all five, in order. Tolerance
/// 1e-5: Winograd's F(4x4,3x3) in float32 was measured at 1.5e-6, direct forms at 0.7e-6 to 1.3e-6; 1e-2 for
/// engines of 16 bits.
void expect_keras_features(Engine& engine);
/// The same of what was computed already.
void expect_keras_features(const std::vector<std::vector<float>>& features,
                           Precision precision = Precision::kFp32);

}  // namespace headstart::test
