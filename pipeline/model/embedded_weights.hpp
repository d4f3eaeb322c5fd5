// pipeline/model/embedded_weights.hpp: models/vgg16_imagenet_notop.h5 inside the binary, so that the binary
// works wherever it is copied.
#pragma once

#include <filesystem>

#include "features/network/weights.hpp"

namespace headstart {

/// The weights of models/vgg16_imagenet_notop.h5, read and checked at build time.
[[nodiscard]] NetworkWeights embedded_weights();

/// Weights of `network` from `file`, or the embedded ones if it is empty.
/// @throws Error as read_weights does; kUsage without a file for another network than VGG16
[[nodiscard]] NetworkWeights load_weights(const Network& network, const std::filesystem::path& file);

}  // namespace headstart
