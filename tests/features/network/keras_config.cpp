// tests/features/network/keras_config.cpp
#include "tests/features/network/keras_config.hpp"
#include "tests/features/network/vgg16_layers.hpp"

#include <algorithm>
#include <utility>

#include "features/network/network.hpp"

namespace headstart::test {

using Json = nlohmann::json;

Json keras_layer(const std::string& class_name, const std::string& name, Json config) {
  config["name"] = name;
  return {{"class_name", class_name}, {"config", std::move(config)}};
}

std::vector<Json> vgg16_layers() {
  std::vector<Json> layers;
  for (std::size_t i = 0; i < vgg16_convolutions().size(); ++i) {
    const NetworkLayer& layer = vgg16_convolutions()[i];
    layers.push_back(keras_layer("Conv2D", std::string(layer.name),
                                 {{"filters", layer.out_channels},
                                  {"kernel_size", {3, 3}},
                                  {"strides", {1, 1}},
                                  {"padding", "same"},
                                  {"data_format", "channels_last"},
                                  {"dilation_rate", {1, 1}},
                                  {"activation", "relu"},
                                  {"use_bias", true}}));
    if (ends_block(i)) {
      layers.push_back(keras_layer("MaxPooling2D", "block" + std::to_string(layer.block) + "_pool",
                                   {{"pool_size", {2, 2}}, {"padding", "valid"}, {"strides", {2, 2}}}));
    }
  }
  return layers;
}

std::size_t place_of(const std::vector<Json>& layers, const std::string& name) {
  const auto found = std::find_if(layers.begin(), layers.end(),
                                  [&](const Json& layer) { return layer["config"]["name"] == name; });
  return static_cast<std::size_t>(found - layers.begin());
}

Json keras_1_sequential(const std::vector<Json>& layers) {
  return {{"class_name", "Sequential"}, {"config", layers}};
}

Json sequential(const std::vector<Json>& layers, const std::string& name) {
  return {{"class_name", "Sequential"}, {"config", {{"name", name}, {"layers", layers}}}};
}

Json call_of(const std::vector<std::string>& layers, int version, std::size_t call) {
  Json references = Json::array();
  for (const std::string& layer : layers) {
    if (version == 2) {
      references.push_back({layer, call, 0, Json::object()});
    } else {
      const Json config{
          {"shape", {nullptr, 64, 64, 3}}, {"dtype", "float32"}, {"keras_history", {layer, call, 0}}};
      references.push_back({{"class_name", "__keras_tensor__"}, {"config", config}});
    }
  }
  if (version == 2) return references;
  if (layers.size() > 1) references = Json::array({references});
  return {{"args", references}, {"kwargs", {{"mask", nullptr}}}};
}

Json functional(const std::vector<Json>& layers, int version, const std::string& name) {
  Json listed = Json::array();
  std::string before = name + "_input";
  std::size_t call = 0;
  listed.push_back(keras_layer("InputLayer", before));
  listed.back()["name"] = before;
  listed.back()["inbound_nodes"] = Json::array();
  for (const Json& layer : layers) {
    listed.push_back(layer);
    listed.back()["inbound_nodes"] = Json::array({call_of({before}, version, call)});
    before = layer["config"]["name"].get<std::string>();
    listed.back()["name"] = before;
    call = layer["config"].contains("layers") ? 1 : 0;  // a model's own call is not listed
  }
  const Json input{name + "_input", 0, 0};
  const Json output{before, call, 0};
  return {{"class_name", version == 2 ? "Model" : "Functional"},
          {"config",
           {{"name", name},
            {"layers", listed},
            {"input_layers", version == 2 ? Json::array({input}) : input},
            {"output_layers", version == 2 ? Json::array({output}) : output}}}};
}

}  // namespace headstart::test
