// pipeline/model/unpack_weights.cpp: headstart_unpack_weights KERAS.h5 OUT, run by the build. The program
// turns a Keras file of weights into the form that pipeline/model/embedded_weights.cpp puts into the binary.
// So no program has to inflate, check and hash the weights at its start. OUT is the identity of the weights,
// zeros up to byte 64, then kernel and bias of each layer, float32.
#include <cstddef>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <span>
#include <stdexcept>
#include <vector>

#include "features/network/known_networks.hpp"
#include "features/network/weights.hpp"

namespace {

void write(std::ofstream& file, std::span<const std::byte> bytes) {
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

int main(int count, char** arguments) try {
  if (count != 3) throw std::invalid_argument("usage: headstart_unpack_weights KERAS.h5 OUT");
  const headstart::NetworkWeights weights =
      headstart::read_keras_weights(headstart::vgg16(), std::filesystem::path(arguments[1]));
  std::ofstream file(arguments[2], std::ios::binary | std::ios::trunc);
  write(file, std::as_bytes(std::span(weights.identity.bytes)));
  write(file, std::vector<std::byte>(64 - sizeof(weights.identity.bytes)));
  for (const headstart::ConvolutionWeights& layer : weights.layers) {
    write(file, std::as_bytes(std::span(layer.kernel)));
    write(file, std::as_bytes(std::span(layer.bias)));
  }
  file.close();
  if (!file) throw std::runtime_error("cannot write");
  return 0;
} catch (const std::exception& error) {
  std::cerr << "headstart_unpack_weights: error: " << error.what() << '\n';
  return 1;
}
