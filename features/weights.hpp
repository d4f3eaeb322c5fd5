// features/weights.hpp: VGG16's convolution weights in memory, with their identity and the preprocessing they
// expect.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/sha256.hpp"
#include "features/preprocessing.hpp"
#include "features/vgg16.hpp"

namespace headstart {

struct ConvolutionWeights {
  std::vector<float> kernel;  ///< [3, 3, in, out], HWIO as Keras stores it
  std::vector<float> bias;    ///< [out]
};

/// Invariant: layers match kVgg16Convolutions in shape and hold finite values only; `identity` is
/// weights_identity(layers).
struct Vgg16Weights {
  std::array<ConvolutionWeights, kVgg16Convolutions.size()> layers;
  Preprocessing preprocessing;
  Sha256 identity;
};

/// SHA-256 over kernels (HWIO) and biases, little-endian float32, in layer order: the same weights have the
/// same identity whatever file they came from.
[[nodiscard]] Sha256 weights_identity(
    const std::array<ConvolutionWeights, kVgg16Convolutions.size()>& layers);

/// Identity of models/vgg16_imagenet_notop.h5.
inline constexpr std::string_view kEmbeddedWeightsIdentity =
    "d9a27cc1fc7f975ef8cff49180e794ccd7c4bc868ebb49740803b3bbaa8dbefd";

/// Reads a Keras .h5: VGG16 weights, notop or full, alone or inside a saved model (group model_weights).
/// Driven by layer_names and weight_names: layers are matched by Keras's names where they are there, else by
/// order; layers after the convolutions (dense ones) are ignored. Links out of the file are not followed.
/// Tried in a child process first (trial_read.hpp), as damaged files can crash HDF5.
/// @throws Error kFailed naming the file, the layer, and found against needed shape; also for NaN or infinity
[[nodiscard]] Vgg16Weights read_keras_weights(const std::filesystem::path& file);
/// The same from a trusted file image in memory, without a trial. @param name  what errors call it
[[nodiscard]] Vgg16Weights read_keras_weights(std::span<const std::byte> image, const std::string& name);

}  // namespace headstart
