// pipeline/model/embedded_weights.cpp: the weights in the binary. The assembler copies the file of
// pipeline/model/unpack_weights.cpp into the read-only data.
#include "pipeline/model/embedded_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "data/error.hpp"
#include "features/network/known_networks.hpp"

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

NetworkWeights embedded_weights() {
  NetworkWeights weights = empty_weights(vgg16());
  weights.format = "Keras .h5";
  weights.preprocessing_reason = "the first layer is the Caffe model's";
  std::ranges::copy(std::span(headstart_embedded_weights, weights.identity.bytes.size()),
                    std::as_writable_bytes(std::span(weights.identity.bytes)).begin());
  constexpr std::size_t kFirstFloat = 64;
  const float* next = reinterpret_cast<const float*>(headstart_embedded_weights + kFirstFloat);
  const auto take = [&next](std::size_t count) {
    const float* const first = std::exchange(next, next + count);
    return std::vector<float>(first, next);
  };
  const std::vector<NetworkLayer> layers = convolutions(weights.network);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto in = static_cast<std::size_t>(layers[i].in_channels);
    const auto out = static_cast<std::size_t>(layers[i].out_channels);
    weights.layers[i].kernel = take(9 * in * out);
    weights.layers[i].bias = take(out);
  }
  return weights;
}

NetworkWeights load_weights(const Network& network, const std::filesystem::path& file) {
  if (!file.empty()) return read_weights(network, file);
  if (network == vgg16()) return embedded_weights();
  throw Error{Error::Kind::kUsage, "wrong usage", fmt::format("--network {} without --weights", network.name),
              fmt::format("the program has the weights of VGG16 alone: pass a file of {}'s to --weights",
                          network.title)};
}

}  // namespace headstart
