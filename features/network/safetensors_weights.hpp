// features/network/safetensors_weights.hpp: finds a network's convolutions among the tensors of a safetensors
// file.
#pragma once

#include <string>

#include "features/network/safetensors.hpp"
#include "features/network/stored_weights.hpp"

namespace headstart {

/// Finds the convolutions by torchvision's names, which timm also uses. The result points into the bytes of
/// `safetensors`.
/// @throws Error kFailed naming the missing tensor, or the network that the file seems to hold
[[nodiscard]] StoredConvolutions find_convolutions(const SafetensorsFile& safetensors,
                                                   const WeightsSource& source);

}  // namespace headstart
