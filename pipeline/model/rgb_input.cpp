// pipeline/model/rgb_input.cpp
#include "pipeline/model/rgb_input.hpp"

#include <algorithm>
#include <cstddef>

namespace headstart {

RgbInput rgb_input(const Model& model) {
  const Preprocessing& preprocessing = model.configuration.preprocessing;
  const std::vector<float>& kernel = model.weights.layers.front().kernel;
  const bool bgr = preprocessing.order == ChannelOrder::kBgr;
  RgbInput input{{}, {}, kernel, bgr ? exchanged(preprocessing) : preprocessing};
  const std::size_t outputs = kernel.size() / 27;
  for (std::size_t rgb = 0; rgb < 3; ++rgb) {
    const std::size_t channel = bgr ? 2 - rgb : rgb;
    input.factor[rgb] = preprocessing.scale / preprocessing.deviation[channel];
    input.offset[rgb] = -preprocessing.mean[channel] / preprocessing.deviation[channel];
    for (std::size_t position = 0; position < 9; ++position) {
      const auto row = [&](std::size_t c) {
        return static_cast<std::ptrdiff_t>((position * 3 + c) * outputs);
      };
      std::copy_n(kernel.begin() + row(channel), outputs, input.first_kernel.begin() + row(rgb));
    }
  }
  return input;
}

}  // namespace headstart
