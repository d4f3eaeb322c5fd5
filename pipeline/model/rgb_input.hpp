// pipeline/model/rgb_input.hpp: a model's preprocessing as a part of the network, for exported models. An
// exported model takes RGB, whatever order of channels its weights need.
#pragma once

#include <array>
#include <vector>

#include "pipeline/model/model_file.hpp"

namespace headstart {

/// The network on RGB pixels p in 0..255. The first convolution takes p * factor + offset, with zeros around
/// it, by `first_kernel`. The offset can't be folded into that convolution's bias, because the zeros around
/// the image have no offset.
struct RgbInput {
  std::array<float, 3> factor;      ///< of R, G, B
  std::array<float, 3> offset;      ///< of R, G, B
  std::vector<float> first_kernel;  ///< [3, 3, RGB, 64]
  Preprocessing preprocessing;      ///< the same input in words, for `first_kernel`
};

[[nodiscard]] RgbInput rgb_input(const Model& model);

}  // namespace headstart
