// pipeline/embedded_weights.hpp: models/vgg16_imagenet_notop.h5, inside the binary: it works wherever it is
// copied.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "features/weights.hpp"

namespace headstart {

/// The bytes of models/vgg16_imagenet_notop.h5 as they were at build time.
[[nodiscard]] std::span<const std::byte> embedded_weights() noexcept;

/// Weights from `file`, or the embedded ones if it is empty. @throws Error as read_weights does
[[nodiscard]] Vgg16Weights load_weights(const std::filesystem::path& file);

}  // namespace headstart
