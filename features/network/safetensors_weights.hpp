// features/network/safetensors_weights.hpp: finds VGG16's convolutions among the tensors of a safetensors
// file.
#pragma once

#include <string>

#include "features/network/safetensors.hpp"
#include "features/network/stored_weights.hpp"

namespace headstart {

/// Finds the convolutions by torchvision's names, which timm also uses. The result points into the bytes of
/// `safetensors`.
/// @param file  the name of the file in errors
/// @throws Error kFailed naming the missing tensor, or the network that the file seems to hold
[[nodiscard]] StoredConvolutions find_convolutions(const SafetensorsFile& safetensors,
                                                   const std::string& file);

}  // namespace headstart
