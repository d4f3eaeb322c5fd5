// features/keras_weights.cpp: VGG16's convolutions out of the legacy .h5 files of Keras 1, 2 and 3 and out of
// our own model.h5. Driven by the attributes layer_names (of the root or of model_weights) and weight_names
// (of each layer's group); nothing else in the file is looked at. Surprise: a model inside a model
// (Sequential([VGG16(), ...])) is one layer that lists all of its weights, so what is matched are kernels,
// not layers.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "data/error.hpp"
#include "features/all_finite.hpp"
#include "features/hdf5.hpp"
#include "features/stored_weights.hpp"
#include "features/trial_read.hpp"
#include "features/weights.hpp"

namespace headstart {
namespace {

constexpr std::size_t kConvolutions = kVgg16Convolutions.size();

[[nodiscard]] Error not_legacy(const std::string& file, std::string_view format) {
  return unfit_weights(file, fmt::format("is {}, not a legacy .h5 file", format),
                       "save the model again in Keras with model.save('vgg16.h5')");
}

/// A kernel of rank four and the bias that follows it.
struct KerasConvolution {
  std::string kernel;  ///< path below the group that has layer_names
  std::string bias;    ///< empty if there is none
  hdf5::Extents kernel_extents;
};

/// Every kernel of rank four, in the file's order.
std::vector<KerasConvolution> list_convolutions(hid_t weights, const std::string& file) {
  std::vector<KerasConvolution> found;
  for (const std::string& layer : hdf5::read_strings(weights, "layer_names")) {
    if (layer.empty() || !hdf5::exists(weights, layer)) {
      throw unfit_weights(file, fmt::format("its layer_names lists '{}', which is not there", layer),
                          "get an intact copy");
    }
    const hdf5::Group group = hdf5::open_group(weights, layer);
    bool wants_bias = false;  // only what comes right behind a kernel can be its bias
    for (const std::string& name : hdf5::read_strings(group.id(), "weight_names")) {
      const hdf5::Extents extents = hdf5::extents(group.id(), name);
      std::string path = fmt::format("{}/{}", layer, name);
      if (wants_bias && extents.size() == 1) found.back().bias = path;
      wants_bias = extents.size() == 4;
      if (wants_bias) found.push_back({std::move(path), {}, extents});
    }
  }
  return found;
}

/// The file's convolution for each of VGG16's: by Keras's names where all of them are there, else by order.
std::array<KerasConvolution, kConvolutions> match(const std::vector<KerasConvolution>& found,
                                                  const std::string& file) {
  if (found.size() != kConvolutions) {
    throw unfit_weights(file,
                        fmt::format("it has {} convolutions, VGG16 has {}", found.size(), kConvolutions));
  }
  std::array<KerasConvolution, kConvolutions> matched;
  for (std::size_t i = 0; i < kConvolutions; ++i) {
    const auto named = std::find_if(found.begin(), found.end(), [&](const KerasConvolution& convolution) {
      return convolution.kernel.find(kVgg16Convolutions[i].name) != std::string::npos;
    });
    if (named == found.end()) {
      std::copy(found.begin(), found.end(), matched.begin());
      return matched;
    }
    matched[i] = *named;
  }
  return matched;
}

/// @param what  "kernel" or "bias"
std::vector<float> read_values(hid_t weights, const std::string& path, const hdf5::Extents& found,
                               const hdf5::Extents& needed, std::string_view layer, std::string_view what,
                               const std::string& file) {
  if (found != needed) {
    throw unfit_weights(
        file, fmt::format("{} {} is {}, needed {}", layer, what, shape_text(found), shape_text(needed)));
  }
  std::uint64_t count = 1;
  for (const std::uint64_t extent : needed) count *= extent;
  std::vector<float> values = hdf5::read<float>(weights, path, count);
  if (!all_finite(values)) throw weights_not_finite(file, fmt::format("{} {}", layer, what));
  return values;
}

ConvolutionWeights read_layer(hid_t weights, const KerasConvolution& convolution,
                              const ConvolutionLayer& layer, const std::string& file) {
  const auto in = static_cast<std::uint64_t>(layer.in_channels);
  const auto out = static_cast<std::uint64_t>(layer.out_channels);
  if (convolution.kernel_extents == hdf5::Extents{out, in, 3, 3}) {
    throw unfit_weights(file,
                        fmt::format("{} kernel is {}: ordered as Theano does, outputs first", layer.name,
                                    shape_text(convolution.kernel_extents)),
                        "pass the file for the TensorFlow backend (its name has 'tf' for 'th')");
  }
  if (convolution.bias.empty()) throw unfit_weights(file, fmt::format("{} has no bias", layer.name));
  return {read_values(weights, convolution.kernel, convolution.kernel_extents, {3, 3, in, out}, layer.name,
                      "kernel", file),
          read_values(weights, convolution.bias, hdf5::extents(weights, convolution.bias), {out}, layer.name,
                      "bias", file)};
}

Vgg16Weights read_opened(const hdf5::File& opened, const std::string& file) {
  std::optional<hdf5::Group> model;
  if (hdf5::exists(opened.id(), "model_weights"))
    model.emplace(hdf5::open_group(opened.id(), "model_weights"));
  const hid_t weights = model ? model->id() : opened.id();
  if (!hdf5::has_attribute(weights, "layer_names")) {
    // Keras 3.0 to 3.5 wrote the first group, every Keras 3 the others.
    for (const char* const group : {"_layer_checkpoint_dependencies", "layers", "vars"}) {
      if (hdf5::exists(opened.id(), group)) throw not_legacy(file, "a .weights.h5 file of Keras 3");
    }
    throw unfit_weights(file, "it has no layer_names, which every legacy .h5 file of Keras has");
  }
  const std::array<KerasConvolution, kConvolutions> convolutions =
      match(list_convolutions(weights, file), file);
  Vgg16Weights result;
  for (std::size_t i = 0; i < kConvolutions; ++i) {
    result.layers[i] = read_layer(weights, convolutions[i], kVgg16Convolutions[i], file);
  }
  result.preprocessing = kCaffePreprocessing;
  result.preprocessing_reason = "the file comes from Keras";
  result.format = "Keras .h5";
  result.identity = weights_identity(result.layers);
  return result;
}

/// HDF5 itself would also look for it further on.
constexpr std::string_view kHdf5Signature = "\x89HDF\r\n\x1A\n";

/// A .keras file is a zip archive.
bool starts_as_zip(std::string_view start) { return start.starts_with("PK\x03\x04"); }

}  // namespace

Vgg16Weights read_keras_weights(const std::filesystem::path& file) {
  std::error_code ignored;  // open_file() says what is wrong with anything but a regular file
  if (std::filesystem::is_regular_file(file, ignored)) {
    std::string start(kHdf5Signature.size(), '\0');
    std::ifstream(file, std::ios::binary).read(start.data(), static_cast<std::streamsize>(start.size()));
    if (starts_as_zip(start)) throw not_legacy(file.string(), "a .keras archive");
    if (start != kHdf5Signature) throw unfit_weights(file.string(), "it does not start as HDF5 files do");
  }
  const auto read = [&file] { return read_opened(hdf5::open_file(file), file.string()); };
  try_in_child(file, [&read] { static_cast<void>(read()); });
  return read();
}

Vgg16Weights read_keras_weights(std::span<const std::byte> image, const std::string& name) {
  return read_opened(hdf5::open_image(image), name);
}

}  // namespace headstart
