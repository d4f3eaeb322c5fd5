// pipeline/model/keras_configuration.hpp: a model as layers of Keras, in the legacy JSON from which Keras 2
// and 3 build them.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "features/hdf5/hdf5.hpp"
#include "pipeline/model/model_file.hpp"
#include "pipeline/model/rgb_input.hpp"

namespace headstart {

/// A layer as Keras has it. The weights are those of the model or of the input, which must outlive it.
struct KerasModelLayer {
  nlohmann::ordered_json json;     ///< its entry in model_config
  hdf5::Extents kernel_extents{};  ///< empty: the layer has no weights
  std::span<const float> kernel{};
  std::span<const float> bias{};

  /// As Keras shows it. The group of its weights has the same name.
  [[nodiscard]] std::string name() const { return json.at("config").at("name").get<std::string>(); }
};

/// All layers after the InputLayer.
/// @param input  null: the model takes preprocessed pixels
[[nodiscard]] std::vector<KerasModelLayer> keras_model_layers(const Model& model, const RgbInput* input);

/// The attribute model_config: a Sequential of an InputLayer and `layers`. @param size  of the input
[[nodiscard]] std::string keras_model_config(int size, std::span<const KerasModelLayer> layers);

/// The attribute training_config: loss and optimiser.
[[nodiscard]] std::string keras_training_config(const TrainingRecord& training);

}  // namespace headstart
