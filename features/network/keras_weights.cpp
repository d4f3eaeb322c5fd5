// features/network/keras_weights.cpp: reads a network's convolutions from the legacy .h5 files of Keras 1, 2
// and 3 and from headstart's own model.h5. If there is an attribute model_config, it says which layers they
// are; otherwise the list of layers has to tell (keras_listing.hpp). Note: HDF5 limits an attribute to 64
// KiB. So Keras writes a long list of names in parts: layer_names0, layer_names1, ...
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "data/error.hpp"
#include "features/hdf5/hdf5.hpp"
#include "features/hdf5/trial_read.hpp"
#include "features/network/all_finite.hpp"
#include "features/network/keras_graph.hpp"
#include "features/network/keras_listing.hpp"
#include "features/network/keras_network.hpp"
#include "features/network/stored_weights.hpp"
#include "features/network/weights.hpp"
#include "features/network/weights_preprocessing.hpp"

namespace headstart {
namespace {

constexpr std::uint64_t kMaxDescriptionBytes = std::uint64_t{64} << 20;

[[nodiscard]] Error not_legacy(const WeightsSource& source, std::string_view format) {
  return unfit_weights(
      source, fmt::format("is {}, not a legacy .h5 file", format),
      fmt::format("save the model again in Keras with model.save('{}.h5')", source.network.name));
}

bool has_names(hid_t object, const std::string& attribute) {
  return hdf5::has_attribute(object, attribute) || hdf5::has_attribute(object, attribute + "0");
}

/// A list of names, in one attribute or in parts.
std::vector<std::string> read_names(hid_t object, const std::string& attribute) {
  if (hdf5::has_attribute(object, attribute) || !has_names(object, attribute))
    return hdf5::read_strings(object, attribute);
  std::vector<std::string> names;
  for (std::size_t part = 0;; ++part) {
    const std::string name = fmt::format("{}{}", attribute, part);
    if (!hdf5::has_attribute(object, name)) return names;
    std::vector<std::string> more = hdf5::read_strings(object, name);
    std::move(more.begin(), more.end(), std::back_inserter(names));
  }
}

/// Every layer of the file with the shapes of its weights.
std::vector<KerasLayer> list_layers(hid_t weights, const WeightsSource& source) {
  std::vector<KerasLayer> layers;
  for (const std::string& name : read_names(weights, "layer_names")) {
    if (name.empty() || !hdf5::exists(weights, name)) {
      throw unfit_weights(source,
                          fmt::format("its layer_names lists '{}', which is not there", printable(name)),
                          "get an intact copy");
    }
    const hdf5::Group group = hdf5::open_group(weights, name);
    KerasLayer layer{name, {}};
    for (std::string& weight : read_names(group.id(), "weight_names")) {
      hdf5::Extents extents = hdf5::extents(group.id(), weight);
      std::string path = fmt::format("{}/{}", name, weight);
      layer.weights.push_back({std::move(weight), std::move(path), std::move(extents)});
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

/// @param what  "kernel" or "bias"
std::vector<float> read_values(hid_t weights, const std::string& path, const hdf5::Extents& found,
                               const hdf5::Extents& needed, std::string_view layer, std::string_view what,
                               const WeightsSource& source) {
  if (found != needed) {
    throw unfit_weights(
        source, fmt::format("{} {} is {}, needed {}", layer, what, shape_text(found), shape_text(needed)));
  }
  if (!hdf5::holds_floats(weights, path)) {
    throw unfit_weights(source, fmt::format("{} {} holds integers: it is quantised", layer, what),
                        "pass the file in float32");
  }
  std::uint64_t count = 1;
  for (const std::uint64_t extent : needed) count *= extent;
  std::vector<float> values = hdf5::read<float>(weights, path, count);
  if (!all_finite(values)) throw weights_not_finite(source, fmt::format("{} {}", layer, what));
  return values;
}

ConvolutionWeights read_layer(hid_t weights, const KerasKernel& convolution, const NetworkLayer& layer,
                              const WeightsSource& source) {
  const auto in = static_cast<std::uint64_t>(layer.in_channels);
  const auto out = static_cast<std::uint64_t>(layer.out_channels);
  if (convolution.kernel->extents == hdf5::Extents{out, in, 3, 3}) {
    throw unfit_weights(source,
                        fmt::format("{} kernel is {}: ordered as Theano does, outputs first", layer.name,
                                    shape_text(convolution.kernel->extents)),
                        "pass the file for the TensorFlow backend (its name has 'tf' for 'th')");
  }
  if (convolution.bias == nullptr) throw unfit_weights(source, fmt::format("{} has no bias", layer.name));
  return {read_values(weights, convolution.kernel->path, convolution.kernel->extents, {3, 3, in, out},
                      layer.name, "kernel", source),
          read_values(weights, convolution.bias->path, convolution.bias->extents, {out}, layer.name, "bias",
                      source)};
}

/// The statement in the file itself: an attribute, or the description in headstart's own model.h5.
std::string stated_preprocessing(hid_t file) {
  const std::string key(kPreprocessingKey);
  if (hdf5::has_attribute(file, key)) return hdf5::read_string(file, key);
  if (!hdf5::exists(file, "headstart") || !hdf5::exists(file, "headstart/description")) return {};
  const auto bytes = hdf5::read<std::uint8_t>(file, "headstart/description", kMaxDescriptionBytes);
  const auto json = nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (!json.is_object() || !json.contains("preprocessing"))
    throw std::invalid_argument("its headstart/description has no preprocessing");
  return json.at("preprocessing").dump();
}

/// The values of a layer that has few of them, in the file's order.
std::vector<std::vector<float>> read_few(hid_t weights, const std::vector<KerasLayer>& layers,
                                         const std::vector<std::string>& path) {
  std::vector<std::vector<float>> values;
  for (const KerasWeight* const weight : weights_of(layers, path)) {
    constexpr std::uint64_t kFew = 3;
    std::uint64_t count = 1;
    for (const std::uint64_t extent : weight->extents)
      count = std::min(count, kFew + 1) * std::min(extent, kFew + 1);
    values.push_back(count > kFew ? std::vector<float>() : hdf5::read<float>(weights, weight->path, kFew));
  }
  return values;
}

/// The file's kernels for the network, and the model's changes to its input before them.
struct KerasMatch {
  KerasKernels kernels;
  NetworkInput input;
};

KerasMatch match(hid_t root, hid_t weights, const std::vector<KerasLayer>& layers,
                 const WeightsSource& source) {
  if (!hdf5::has_attribute(root, "model_config")) {
    KerasMatch matched{match_listing(layers, source), {}};
    matched.input.unreadable = layer_before(layers);
    return matched;
  }
  const KerasGraph graph = parse_keras_graph(hdf5::read_string(root, "model_config"));
  const KerasConvolutions found = find_chain(graph, source);
  KerasPaths paths;
  for (const std::size_t node : found) paths.push_back(graph.nodes[node].path);
  const auto values = [&](const KerasNode& node) { return read_few(weights, layers, node.path); };
  return {match_paths(layers, paths, source), input_of(graph, found.front(), values)};
}

NetworkWeights read_opened(const hdf5::File& opened, const WeightsSource& source) try {
  std::optional<hdf5::Group> model;
  if (hdf5::exists(opened.id(), "model_weights"))
    model.emplace(hdf5::open_group(opened.id(), "model_weights"));
  const hid_t weights = model ? model->id() : opened.id();
  if (!has_names(weights, "layer_names")) {
    // Keras 3.0 to 3.5 wrote the first group; every Keras 3 wrote the others.
    for (const char* const group : {"_layer_checkpoint_dependencies", "layers", "vars"}) {
      if (hdf5::exists(opened.id(), group)) throw not_legacy(source, "a .weights.h5 file of Keras 3");
    }
    throw unfit_weights(source, "it has no layer_names, which every legacy .h5 file of Keras has");
  }
  const std::vector<KerasLayer> layers = list_layers(weights, source);
  const KerasMatch matched = match(opened.id(), weights, layers, source);
  NetworkWeights result = empty_weights(source.network);
  const std::vector<NetworkLayer> convolved = convolutions(source.network);
  for (std::size_t i = 0; i < convolved.size(); ++i)
    result.layers[i] = read_layer(weights, matched.kernels[i], convolved[i], source);
  result.format = "Keras .h5";
  adopt_preprocessing(result, choose_preprocessing(result.layers.front().kernel, WeightsOrigin::kKeras,
                                                   stated_preprocessing(opened.id()), source, matched.input));
  return result;
} catch (const std::invalid_argument& error) {
  throw damaged_weights(source, error.what());
}

/// Checked at the start of the file only. HDF5 itself would also look for it further on.
constexpr std::string_view kHdf5Signature = "\x89HDF\r\n\x1A\n";

/// A .keras file is a zip archive.
bool starts_as_zip(std::string_view start) { return start.starts_with("PK\x03\x04"); }

}  // namespace

NetworkWeights read_keras_weights(const Network& network, const std::filesystem::path& file) {
  const WeightsSource source{network, file.string()};
  std::error_code ignored;  // open_file() reports the problem if it is no regular file
  if (std::filesystem::is_regular_file(file, ignored)) {
    std::string start(kHdf5Signature.size(), '\0');
    std::ifstream(file, std::ios::binary).read(start.data(), static_cast<std::streamsize>(start.size()));
    if (starts_as_zip(start)) throw not_legacy(source, "a .keras archive");
    if (start != kHdf5Signature) throw unfit_weights(source, "it does not start as HDF5 files do");
  }
  const auto read = [&] { return read_opened(hdf5::open_file(file), source); };
  try_in_child(file, [&read] { static_cast<void>(read()); });
  return read();
}

NetworkWeights read_keras_weights(const Network& network, std::span<const std::byte> image,
                                  const std::string& name) {
  return read_opened(hdf5::open_image(image), {network, name});
}

}  // namespace headstart
