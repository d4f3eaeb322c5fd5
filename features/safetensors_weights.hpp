// features/safetensors_weights.hpp: VGG16's convolutions among a safetensors file's tensors.
#pragma once

#include <string>

#include "features/safetensors.hpp"
#include "features/stored_weights.hpp"

namespace headstart {

/// Finds them by torchvision's names, which timm shares. They point into the bytes of `safetensors`.
/// @param file  what errors call it
/// @throws Error kFailed naming the tensor that is missing, or the network that it looks like
[[nodiscard]] StoredConvolutions find_convolutions(const SafetensorsFile& safetensors,
                                                   const std::string& file);

}  // namespace headstart
