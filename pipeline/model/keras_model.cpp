// pipeline/model/keras_model.cpp
#include "pipeline/model/keras_model.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "features/network/weights_preprocessing.hpp"
#include "pipeline/model/keras_configuration.hpp"
#include "pipeline/model/rgb_input.hpp"
#include "pipeline/process/write_file.hpp"

namespace headstart {
namespace {

// The keras_version that both loaders accept: Keras 3 accepts any, Keras 2 any below 3.
constexpr const char* kKerasVersion = "2.15.0";

void write_layer(hdf5::LendingFile& file, hid_t weights, const KerasModelLayer& layer) {
  const std::string name = layer.name();
  const hdf5::Group group = hdf5::create_group(weights, name);
  if (layer.kernel_extents.empty()) return hdf5::write_strings(group.id(), "weight_names", {});
  hdf5::write_strings(group.id(), "weight_names", {name + "/kernel:0", name + "/bias:0"});
  const hdf5::Group inner = hdf5::create_group(group.id(), name);
  file.write(inner.id(), "kernel:0", layer.kernel_extents, layer.kernel);
  file.write(inner.id(), "bias:0", {layer.bias.size()}, layer.bias);
}

}  // namespace

void write_keras_model(hdf5::LendingFile& file, const Model& model, const RgbInput* input) {
  const std::vector<KerasModelLayer> layers = keras_model_layers(model, input);
  hdf5::write_string(file.id(), "keras_version", kKerasVersion);
  hdf5::write_string(file.id(), "backend", "tensorflow");
  hdf5::write_string(file.id(), "model_config", keras_model_config(model.configuration.resize.size, layers));
  hdf5::write_string(file.id(), "training_config", keras_training_config(model.training));
  if (input != nullptr) {
    hdf5::write_string(file.id(), std::string(kPreprocessingKey),
                       preprocessing_statement(input->preprocessing));
  }

  const hdf5::Group weights = hdf5::create_group(file.id(), "model_weights");
  std::vector<std::string> names;
  for (const KerasModelLayer& layer : layers) {
    names.push_back(layer.name());
    write_layer(file, weights.id(), layer);
  }
  hdf5::write_strings(weights.id(), "layer_names", names);
  hdf5::write_string(weights.id(), "backend", "tensorflow");
  hdf5::write_string(weights.id(), "keras_version", kKerasVersion);
}

void write_keras_model_on_rgb(const Model& model, const std::filesystem::path& path) {
  const RgbInput input = rgb_input(model);
  hdf5::LendingFile file;
  write_keras_model(file, model, &input);
  const hdf5::Group own = hdf5::create_group(file.id(), "headstart");
  const std::string classes =
      nlohmann::json(model.classes).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  hdf5::write<std::uint8_t>(own.id(), "class_names", {classes.size()},
                            {reinterpret_cast<const std::uint8_t*>(classes.data()), classes.size()});
  write_file(path, file.close());
}

}  // namespace headstart
