// pipeline/model/keras_configuration.hpp: a model as the legacy JSON from which Keras 2 and 3 build its
// layers. model_file writes the weights.
#pragma once

#include <cstddef>
#include <string>

#include "head/representation/representation.hpp"
#include "pipeline/model/model_file.hpp"
#include "pipeline/model/rgb_input.hpp"

namespace headstart {

/// Names of the layers after the tap: Keras shows them, and the groups of their weights have them.
[[nodiscard]] std::string dense_layer_name(std::size_t layer, std::size_t layers);
[[nodiscard]] std::string pooling_layer_name(Pooling pooling);
inline constexpr const char* kUnitLayerName = "unit_normalization";
/// Name of the layer before the first convolution, if the model takes RGB pixels.
inline constexpr const char* kRescalingLayerName = "preprocessing";

/// The attribute model_config: a Sequential of all layers.
/// @param input  null: the model takes preprocessed pixels
[[nodiscard]] std::string keras_model_config(const Model& model, const RgbInput* input);

/// The attribute training_config: loss and optimiser.
[[nodiscard]] std::string keras_training_config(const TrainingRecord& training);

}  // namespace headstart
