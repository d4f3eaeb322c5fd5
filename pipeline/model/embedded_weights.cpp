// pipeline/model/embedded_weights.cpp: the weights in the binary. The assembler copies the file of
// pipeline/model/unpack_weights.cpp into the read-only data.
#include "pipeline/model/embedded_weights.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

extern "C" {
extern const std::byte
    headstart_embedded_weights[];  // NOLINT(readability-identifier-naming): the assembler's name
}

asm(".pushsection .rodata.headstart_embedded_weights, \"a\", @progbits\n"
    ".balign 64\n"
    ".global headstart_embedded_weights\n"
    "headstart_embedded_weights:\n"
    ".incbin \"" HEADSTART_EMBEDDED_WEIGHTS
    "\"\n"
    ".popsection\n");

namespace headstart {

Vgg16Weights embedded_weights() {
  Vgg16Weights weights{.layers = {},
                       .preprocessing = kCaffePreprocessing,
                       .identity = {},
                       .format = "Keras .h5",
                       .preprocessing_reason = "the first layer is the Caffe model's"};
  std::ranges::copy(std::span(headstart_embedded_weights, weights.identity.bytes.size()),
                    std::as_writable_bytes(std::span(weights.identity.bytes)).begin());
  constexpr std::size_t kFirstFloat = 64;
  const float* next = reinterpret_cast<const float*>(headstart_embedded_weights + kFirstFloat);
  const auto take = [&next](std::size_t count) {
    const float* const first = std::exchange(next, next + count);
    return std::vector<float>(first, next);
  };
  for (std::size_t i = 0; i < kVgg16Convolutions.size(); ++i) {
    const auto in = static_cast<std::size_t>(kVgg16Convolutions[i].in_channels);
    const auto out = static_cast<std::size_t>(kVgg16Convolutions[i].out_channels);
    weights.layers[i].kernel = take(9 * in * out);
    weights.layers[i].bias = take(out);
  }
  return weights;
}

Vgg16Weights load_weights(const std::filesystem::path& file) {
  return file.empty() ? embedded_weights() : read_weights(file);
}

}  // namespace headstart
