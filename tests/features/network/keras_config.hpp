// tests/features/network/keras_config.hpp: model_config as the versions of Keras write it, of chains of
// layers to be changed at will.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace headstart::test {

/// {"class_name": ..., "config": {"name": ..., ...}}
[[nodiscard]] nlohmann::json keras_layer(const std::string& class_name, const std::string& name,
                                         nlohmann::json config = nlohmann::json::object());

/// VGG16's convolutions and pools under Keras's names, with what their configs have to say.
[[nodiscard]] std::vector<nlohmann::json> vgg16_layers();

/// The place of the layer of that name.
[[nodiscard]] std::size_t place_of(const std::vector<nlohmann::json>& layers, const std::string& name);

/// The layers one after the other, in a Sequential of Keras 1, or of Keras 2 and 3.
[[nodiscard]] nlohmann::json keras_1_sequential(const std::vector<nlohmann::json>& layers);
[[nodiscard]] nlohmann::json sequential(const std::vector<nlohmann::json>& layers,
                                        const std::string& name = "sequential");

/// The same as a functional model, which begins with an InputLayer, in the words of Keras 2 or of Keras 3.
[[nodiscard]] nlohmann::json functional(const std::vector<nlohmann::json>& layers, int version = 2,
                                        const std::string& name = "model");

/// One entry of inbound_nodes that takes outputs of layers. @param calls  of a layer which of its calls
[[nodiscard]] nlohmann::json call_of(const std::vector<std::string>& layers, int version = 2,
                                     std::size_t call = 0);

}  // namespace headstart::test
