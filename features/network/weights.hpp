// features/network/weights.hpp: a network's convolution weights in memory, with their identity and the
// preprocessing that they expect.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/sha256.hpp"
#include "features/network/network.hpp"
#include "features/network/preprocessing.hpp"

namespace headstart {

/// The weights of one convolution.
struct ConvolutionWeights {
  std::vector<float> kernel;  ///< [window, window, in, out], HWIO as Keras stores it
  std::vector<float> bias;    ///< [out]
};

/// Invariant: layers match convolutions(network) in shape and hold only finite values; `identity` is
/// weights_identity(network, layers).
struct NetworkWeights {
  Network network;
  std::vector<ConvolutionWeights> layers;  ///< one for each of convolutions(network)
  Preprocessing preprocessing;
  Sha256 identity;
  // For people, set by the readers below; empty if the weights come from elsewhere.
  std::string format;                ///< e.g. "safetensors"
  std::string preprocessing_reason;  ///< why this preprocessing was chosen
};

/// Weights of the network without any values, and with its preprocessing.
[[nodiscard]] NetworkWeights empty_weights(const Network& network);

/// SHA-256 over network.identity_prefix, then kernels (HWIO) and biases, little-endian float32, in layer
/// order. The same weights have the same identity, whatever their file.
/// @param layers  all of them, or those up to a tap. Empty ones at the end change nothing
[[nodiscard]] Sha256 weights_identity(const Network& network, std::span<const ConvolutionWeights> layers);
/// weights_identity() of the layers up to a tap.
[[nodiscard]] Sha256 identity_up_to(const NetworkWeights& weights, const Tap& tap);

/// Identity of models/vgg16_imagenet_notop.h5.
inline constexpr std::string_view kEmbeddedWeightsIdentity =
    "d9a27cc1fc7f975ef8cff49180e794ccd7c4bc868ebb49740803b3bbaa8dbefd";

/// weights_identity() of its layers up to VGG block 1, 2, 3, 4 alone; the other layers are empty.
inline constexpr std::array<std::string_view, 4> kEmbeddedIdentitiesUpToBlock{
    "af829a9cee4eb79cc8858c68d2dff92748549074a5002502eb95fb739e800021",
    "12540ef274d559d8e954053b32b7408a18870c56c16057373bdcf2d778588c61",
    "cba1ccb85c50e90422dcbeebdd15aaf86af465fa4b2f712c08f554908153decf",
    "64b8b078c5a10fa0437fb03da1967854c6f3d70c718ed3eba5e6d1502408e010"};

// The readers check that a file holds the layers of `network`, and throw an Error kFailed otherwise. The
// error names the file, the layer, the shape found and the needed shape. Values that are infinite or no
// numbers are an error, too.

/// Reads a Keras .h5: the network's weights, notop or full, alone or inside a saved model (group
/// model_weights). Uses layer_names and weight_names. Layers are matched by Keras's names if they are there,
/// else by order. Layers after the convolutions (dense ones) are ignored. Links out of the file are not
/// followed. A child process tries the read first (trial_read.hpp), because damaged files can crash HDF5.
[[nodiscard]] NetworkWeights read_keras_weights(const Network& network, const std::filesystem::path& file);
/// Like read_keras_weights(network, file), from a trusted file image in memory, without a trial.
/// @param name  what errors call it
[[nodiscard]] NetworkWeights read_keras_weights(const Network& network, std::span<const std::byte> image,
                                                const std::string& name);

/// Reads a .safetensors file of torchvision's or timm's network: tensors features.0.weight, features.0.bias
/// and so on, behind any prefix. The classifier's tensors are ignored. float16, bfloat16 and float64 become
/// float32.
/// @param name  the name of the file in errors
[[nodiscard]] NetworkWeights read_safetensors_weights(const Network& network,
                                                      std::span<const std::byte> bytes,
                                                      const std::string& name);

/// Reads an ONNX model. Takes the 3x3 convolutions of its graph in their order, with any names, and checks
/// that they are connected like the network's. Nodes before and behind them are ignored. Types as in
/// read_safetensors_weights(). Weights that lie in other files are an error.
[[nodiscard]] NetworkWeights read_onnx_weights(const Network& network, std::span<const std::byte> bytes,
                                               const std::string& name);

/// A larger safetensors or ONNX file is refused before it is read. VGG19 with its classifier has 0.6 GB in
/// float32. Protocol Buffers messages have the same limit.
inline constexpr std::uint64_t kMaxWeightsFileBytes = std::uint64_t{1} << 31;

/// Reads any of the three formats. The first bytes tell the format; the file's extension decides only if they
/// say nothing.
/// @throws Error as the three readers do; one that names the network where the file holds another known one;
/// for another format, an Error that names it and says how to convert the file
[[nodiscard]] NetworkWeights read_weights(const Network& network, const std::filesystem::path& file);

}  // namespace headstart
