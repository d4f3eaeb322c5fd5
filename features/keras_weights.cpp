// features/keras_weights.cpp: VGG16 weights out of Keras's legacy .h5 files, of Keras 1, 2 and 3, and out of
// our own model.h5. The layers of such a file are listed by the attribute layer_names of the root or of
// model_weights, each layer's datasets by the attribute weight_names of its group. Nothing else is trusted:
// not the paths, not the file's other groups.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>

#include "data/error.hpp"
#include "features/hdf5.hpp"
#include "features/weights.hpp"

namespace headstart {
namespace {

constexpr std::uint64_t kMaxKernel = 9ULL * 512 * 512;

Error unusable(const std::string& file, std::string_view what) {
  return Error{Error::Kind::kFailed, "weights do not fit VGG16", fmt::format("{}: {}", file, what),
               "pass a Keras VGG16 .h5 file to --weights"};
}

std::string shape_text(const hdf5::Extents& extents) { return fmt::format("{}", fmt::join(extents, "x")); }

/// A layer of the file that looks like a convolution: a kernel of rank four and a bias.
struct Candidate {
  std::string layer;
  std::string kernel;  // path below the weights group
  std::string bias;
  hdf5::Extents extents;
};

/// "block1_conv1/block1_conv1_W_1:0" and the like; some files list the name relative to the layer's group,
/// some repeat the group.
std::string dataset_path(hid_t weights, const std::string& layer, const std::string& name) {
  const std::string path = layer + "/" + name;
  return hdf5::exists(weights, path) ? path : name;
}

std::vector<Candidate> convolutions_of(hid_t weights, const std::string& file) {
  std::vector<Candidate> found;
  for (const std::string& layer : hdf5::read_strings(weights, "layer_names")) {
    if (layer.empty() || !hdf5::exists(weights, layer)) {
      throw unusable(file, fmt::format("layer '{}' is listed and missing", printable(layer)));
    }
    const hdf5::Group group = hdf5::open_group(weights, layer);
    if (!hdf5::has_attribute(group.id(), "weight_names")) continue;
    const std::vector<std::string> names = hdf5::read_strings(group.id(), "weight_names");
    if (names.size() != 2) continue;
    Candidate candidate{
        layer, dataset_path(weights, layer, names[0]), dataset_path(weights, layer, names[1]), {}};
    candidate.extents = hdf5::extents(weights, candidate.kernel);
    if (candidate.extents.size() == 4) found.push_back(std::move(candidate));
  }
  return found;
}

/// The file's layer for each of VGG16's: by Keras's names where all are there, else by order.
std::vector<Candidate> match(std::vector<Candidate> found, const std::string& file) {
  std::map<std::string_view, const Candidate*> by_name;
  for (const Candidate& candidate : found) by_name[candidate.layer] = &candidate;
  std::vector<Candidate> matched;
  for (const ConvolutionLayer& layer : kVgg16Convolutions) {
    const auto at = by_name.find(layer.name);
    if (at != by_name.end()) matched.push_back(*at->second);
  }
  if (matched.size() == kVgg16Convolutions.size()) return matched;
  if (found.size() != kVgg16Convolutions.size()) {
    throw unusable(file,
                   fmt::format("holds {} convolutions, needed {}", found.size(), kVgg16Convolutions.size()));
  }
  return found;
}

std::vector<float> read_finite(hid_t weights, const std::string& path, std::string_view layer,
                               const std::string& file) {
  std::vector<float> values = hdf5::read<float>(weights, path, kMaxKernel);
  if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) {
    throw unusable(file, fmt::format("{} holds values that are not finite", layer));
  }
  return values;
}

ConvolutionWeights read_layer(hid_t weights, const Candidate& candidate, const ConvolutionLayer& layer,
                              const std::string& file) {
  const auto in = static_cast<std::uint64_t>(layer.in_channels);
  const auto out = static_cast<std::uint64_t>(layer.out_channels);
  const hdf5::Extents needed{3, 3, in, out};
  if (candidate.extents != needed) {
    const bool theano = candidate.extents == hdf5::Extents{out, in, 3, 3};
    throw unusable(file, fmt::format("{} kernel is {}, needed {}{}", printable(candidate.layer),
                                     shape_text(candidate.extents), shape_text(needed),
                                     theano ? " (channels first: convert it in Keras)" : ""));
  }
  if (const hdf5::Extents bias = hdf5::extents(weights, candidate.bias); bias != hdf5::Extents{out}) {
    throw unusable(
        file, fmt::format("{} bias is {}, needed {}", printable(candidate.layer), shape_text(bias), out));
  }
  return {read_finite(weights, candidate.kernel, layer.name, file),
          read_finite(weights, candidate.bias, layer.name, file)};
}

Vgg16Weights read_from(const hdf5::File& opened, const std::string& file) {
  const bool model = hdf5::exists(opened.id(), "model_weights");
  std::optional<hdf5::Group> group;
  if (model) group.emplace(hdf5::open_group(opened.id(), "model_weights"));
  const hid_t weights = model ? group->id() : opened.id();
  if (!hdf5::has_attribute(weights, "layer_names")) {
    throw unusable(file, hdf5::exists(opened.id(), "layers") ||
                                 hdf5::exists(opened.id(), "_layer_checkpoint_dependencies")
                             ? "is a Keras 3 .weights.h5 file: save the model as legacy .h5 instead"
                             : "has no attribute layer_names");
  }
  const std::vector<Candidate> layers = match(convolutions_of(weights, file), file);
  Vgg16Weights result;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    result.layers[i] = read_layer(weights, layers[i], kVgg16Convolutions[i], file);
  }
  result.preprocessing = kCaffePreprocessing;
  result.identity = weights_identity(result.layers);
  return result;
}

}  // namespace

Vgg16Weights read_keras_weights(const std::filesystem::path& file) {
  return read_from(hdf5::open_file(file), printable(file.string()));
}

Vgg16Weights read_keras_weights(std::span<const std::byte> image, const std::string& name) {
  return read_from(hdf5::open_image(image), name);
}

}  // namespace headstart
