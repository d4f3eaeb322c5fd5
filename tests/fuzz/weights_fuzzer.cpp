// tests/fuzz/weights_fuzzer.cpp: any file given to the reader of weights ends as weights or as one line of
// error. An input that starts with "h5" is a recipe for a well-formed HDF5 file (hdf5_recipe.hpp); one that
// starts with "js" is a model_config; every other one is the file itself, unless HDF5 would parse it, whose
// crashes on damaged bytes are not ours to find.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "data/error.hpp"
#include "features/network/all_finite.hpp"
#include "features/network/keras_graph.hpp"
#include "features/network/keras_network.hpp"
#include "features/network/known_networks.hpp"
#include "features/network/weights.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/hdf5_recipe.hpp"
#include "tests/fuzz/memory_file.hpp"

namespace {

using headstart::NetworkLayer;
using headstart::NetworkWeights;
using headstart::fuzz::expect;
using headstart::fuzz::Hdf5Object;
using headstart::fuzz::MemoryFile;
using enum Hdf5Object::Kind;

constexpr std::size_t kMostLayers = 6;  // all 13 would be 59 MB, and seconds under the sanitizers
constexpr std::string_view kRecipe = "h5";
constexpr std::string_view kModelConfig = "js";
constexpr std::string_view kHdf5Signature = "\x89HDF\r\n\x1A\n";

/// A Keras file whose values were never written: zeros of the right shapes in a few kilobytes.
/// @param broken  the layer whose kernel has another shape; all before it are read
std::vector<Hdf5Object> keras_objects(std::size_t broken) {
  std::vector<Hdf5Object> objects;
  std::vector<std::string> layers;
  const std::vector<NetworkLayer> convolved = headstart::convolutions(headstart::vgg16());
  for (std::size_t i = 0; i < convolved.size(); ++i) {
    const std::string& name = convolved[i].name;
    const auto in = static_cast<std::uint64_t>(convolved[i].in_channels);
    const auto out = static_cast<std::uint64_t>(convolved[i].out_channels);
    layers.push_back(name);
    objects.push_back({kGroup, "/", name, {}, {}});
    objects.push_back(
        {kAttribute, "/" + name, "weight_names", {}, Hdf5Object::FixedStrings{{"kernel:0", "bias:0"}}});
    objects.push_back({kDataset, "/" + name, "kernel:0", {3, 3, i == broken ? in + 1 : in, out}, {}});
    objects.push_back({kDataset, "/" + name, "bias:0", {out}, {}});
  }
  objects.insert(objects.begin(), {kAttribute, "/", "layer_names", {}, Hdf5Object::FixedStrings{layers}});
  return objects;
}

void check_weights(const NetworkWeights& weights) {
  const std::vector<NetworkLayer> convolved = headstart::convolutions(headstart::vgg16());
  for (std::size_t i = 0; i < convolved.size(); ++i) {
    const auto in = static_cast<std::size_t>(convolved[i].in_channels);
    const auto out = static_cast<std::size_t>(convolved[i].out_channels);
    expect(weights.layers[i].kernel.size() == 9 * in * out, "a kernel has its shape");
    expect(weights.layers[i].bias.size() == out, "a bias has its shape");
    expect(headstart::all_finite(weights.layers[i].kernel) && headstart::all_finite(weights.layers[i].bias),
           "weights are finite");
  }
}

/// A chain that is found in it has VGG16's filters.
void check_model_config(std::string_view text) try {
  const headstart::KerasGraph graph = headstart::parse_keras_graph(text);
  expect(graph.nodes.size() <= headstart::kMaxKerasNodes, "a graph has its limit");
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::size_t input : graph.nodes[i].inputs) expect(input < i, "a node comes behind its inputs");
  }
  const headstart::KerasConvolutions found = headstart::find_chain(graph, {headstart::vgg16(), "fuzzed"});
  (void)headstart::input_of(graph, found.front(), [](const headstart::KerasNode&) {
    return std::vector<std::vector<float>>{{1, 2, 3}, {4}};
  });
} catch (const std::invalid_argument&) {
  return;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = [&] {
    if (text.starts_with(kRecipe)) {  // as an image, which is read without a child process: crashes are ours
      FuzzedDataProvider provider(data + kRecipe.size(), size - kRecipe.size());
      const auto broken = provider.ConsumeIntegralInRange<std::size_t>(1, kMostLayers);
      return headstart::read_keras_weights(
          headstart::vgg16(), headstart::fuzz::hdf5_file_of(keras_objects(broken), provider), "recipe");
    }
    return headstart::read_weights(headstart::vgg16(), MemoryFile({data, size}).path());
  };
  if (!text.starts_with(kRecipe) && text.find(kHdf5Signature) != std::string_view::npos) return 0;
  try {
    if (text.starts_with(kModelConfig)) return check_model_config(text.substr(kModelConfig.size())), 0;
    check_weights(read());
  } catch (const headstart::Error& error) {
    expect(error.what() == headstart::printable(error.what()), "an error is one line");
  }
  return 0;
}
