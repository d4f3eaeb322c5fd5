// features/preprocessing.cpp: see preprocessing.hpp.
#include "features/preprocessing.hpp"

#include <cstddef>
#include <utility>

namespace headstart {

std::string to_string(const Preprocessing& preprocessing) {
  return preprocessing == kCaffePreprocessing ? "caffe" : "custom";
}

void preprocess(const Preprocessing& preprocessing, std::span<float> pixels) noexcept {
  const auto [order, scale, mean, deviation] = preprocessing;
  for (std::size_t i = 0; i + 2 < pixels.size(); i += 3) {
    if (order == ChannelOrder::kBgr) std::swap(pixels[i], pixels[i + 2]);
    for (std::size_t c = 0; c < 3; ++c) pixels[i + c] = (pixels[i + c] * scale - mean[c]) / deviation[c];
  }
}

}  // namespace headstart
