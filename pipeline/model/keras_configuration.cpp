// pipeline/model/keras_configuration.cpp
#include "pipeline/model/keras_configuration.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

namespace headstart {
namespace {

using Json = nlohmann::ordered_json;

Json glorot() { return {{"class_name", "GlorotUniform"}, {"config", {{"seed", nullptr}}}}; }
Json zeros() { return {{"class_name", "Zeros"}, {"config", Json::object()}}; }

Json layer_json(const std::string& class_name, Json config) {
  return {{"class_name", class_name}, {"config", std::move(config)}};
}

Json regularizer_json(double l2) {
  return l2 > 0.0 ? Json{{"class_name", "L2"}, {"config", {{"l2", l2}}}} : Json(nullptr);
}

/// @param tuned  whether the layer was fine-tuned, and can be fine-tuned further
Json convolution_json(const NetworkLayer& layer, bool tuned, double l2) {
  return layer_json("Conv2D", {{"name", layer.name},
                               {"trainable", tuned},
                               {"dtype", "float32"},
                               {"filters", layer.out_channels},
                               {"kernel_size", {layer.window, layer.window}},
                               {"strides", {1, 1}},
                               {"padding", "same"},
                               {"data_format", "channels_last"},
                               {"dilation_rate", {1, 1}},
                               {"groups", 1},
                               {"activation", "relu"},
                               {"use_bias", true},
                               {"kernel_initializer", glorot()},
                               {"bias_initializer", zeros()},
                               {"kernel_regularizer", regularizer_json(tuned ? l2 : 0.0)},
                               {"bias_regularizer", nullptr},
                               {"activity_regularizer", nullptr},
                               {"kernel_constraint", nullptr},
                               {"bias_constraint", nullptr}});
}

Json pool_json(const NetworkLayer& layer) {
  return layer_json("MaxPooling2D", {{"name", layer.name},
                                     {"trainable", true},
                                     {"dtype", "float32"},
                                     {"pool_size", {layer.window, layer.window}},
                                     {"padding", "valid"},
                                     {"strides", {layer.window, layer.window}},
                                     {"data_format", "channels_last"}});
}

Json dense_json(const std::string& name, Eigen::Index units, bool last, double l2) {
  return layer_json("Dense", {{"name", name},
                              {"trainable", true},
                              {"dtype", "float32"},
                              {"units", units},
                              {"activation", last ? "softmax" : "relu"},
                              {"use_bias", true},
                              {"kernel_initializer", glorot()},
                              {"bias_initializer", zeros()},
                              {"kernel_regularizer", regularizer_json(l2)},
                              {"bias_regularizer", nullptr},
                              {"activity_regularizer", nullptr},
                              {"kernel_constraint", nullptr},
                              {"bias_constraint", nullptr}});
}

/// A layer that has nothing to learn, and no setting besides `more`.
Json plain_json(const char* class_name, const char* name, const Json& more) {
  Json config{{"name", name}, {"trainable", true}, {"dtype", "float32"}};
  config.update(more);
  return layer_json(class_name, std::move(config));
}

Json pooling_json(Pooling pooling) {
  switch (pooling) {
    case Pooling::kFlatten:
      break;
    case Pooling::kAverage:
      return plain_json("GlobalAveragePooling2D", "global_average_pooling2d",
                        {{"data_format", "channels_last"}, {"keepdims", false}});
    case Pooling::kMaximum:
      return plain_json("GlobalMaxPooling2D", "global_max_pooling2d",
                        {{"data_format", "channels_last"}, {"keepdims", false}});
  }
  return plain_json("Flatten", "flatten", {{"data_format", "channels_last"}});
}

Json rescaling_json(const RgbInput& input) {
  return plain_json("Rescaling", "preprocessing", {{"scale", input.factor}, {"offset", input.offset}});
}

Json unit_json() { return plain_json("UnitNormalization", "unit_normalization", {{"axis", -1}}); }

std::string dense_layer_name(std::size_t layer, std::size_t layers) {
  return layer + 1 == layers ? std::string("predictions") : fmt::format("hidden_{}", layer + 1);
}

/// The L2 factor in Keras for a Dense layer. The factor is 0 for a kernel with a folded transform: the
/// penalty was on the kernel before folding. Keras would compute a different penalty.
double keras_l2(const Model& model, std::size_t layer) {
  const Transform transform = model.representation.transform;
  const bool folded = transform == Transform::kScale || transform == Transform::kStandardize;
  return folded && layer == 0 ? 0.0 : model.training.options.l2;
}

}  // namespace

std::vector<KerasModelLayer> keras_model_layers(const Model& model, const RgbInput* input) {
  std::vector<KerasModelLayer> layers;
  if (input != nullptr) layers.push_back({rescaling_json(*input)});
  std::size_t next = 0;  // convolution
  for (const NetworkLayer& layer : layers_to(model.weights.network, model.tap)) {
    if (layer.kind == LayerKind::kMaxPool) {
      layers.push_back({pool_json(layer)});
      continue;
    }
    const bool tuned = model.tuned_from_block > 0 && layer.block >= model.tuned_from_block;
    const auto window = static_cast<std::uint64_t>(layer.window);
    const ConvolutionWeights& weights = model.weights.layers[next];
    layers.push_back({convolution_json(layer, tuned, model.training.options.l2),
                      {window, window, static_cast<std::uint64_t>(layer.in_channels),
                       static_cast<std::uint64_t>(layer.out_channels)},
                      next == 0 && input != nullptr ? input->first_kernel : weights.kernel,
                      weights.bias});
    ++next;
  }
  layers.push_back({pooling_json(model.representation.pooling)});
  if (model.representation.transform == Transform::kUnit) layers.push_back({unit_json()});
  const auto& dense = model.head.layers;
  for (std::size_t i = 0; i < dense.size(); ++i) {
    const Matrix& kernel = dense[i].kernel;
    layers.push_back({dense_json(dense_layer_name(i, dense.size()), kernel.cols(), i + 1 == dense.size(),
                                 keras_l2(model, i)),
                      {static_cast<std::uint64_t>(kernel.rows()), static_cast<std::uint64_t>(kernel.cols())},
                      {kernel.data(), static_cast<std::size_t>(kernel.size())},
                      {dense[i].bias.data(), static_cast<std::size_t>(dense[i].bias.size())}});
  }
  return layers;
}

std::string keras_model_config(int size, std::span<const KerasModelLayer> layers) {
  Json all = Json::array();
  all.push_back(layer_json("InputLayer", {{"batch_input_shape", {nullptr, size, size, 3}},
                                          {"dtype", "float32"},
                                          {"sparse", false},
                                          {"ragged", false},
                                          {"name", "input_layer"}}));
  for (const KerasModelLayer& layer : layers) all.push_back(layer.json);
  return Json{{"class_name", "Sequential"},
              {"config", {{"name", "headstart"}, {"trainable", true}, {"dtype", "float32"}, {"layers", all}}}}
      .dump();
}

std::string keras_training_config(const TrainingRecord& training) {
  const Json loss = training.options.label_smoothing > 0.0
                        ? Json{{"class_name", "CategoricalCrossentropy"},
                               {"config",
                                {{"reduction", "sum_over_batch_size"},
                                 {"name", "categorical_crossentropy"},
                                 {"from_logits", false},
                                 {"label_smoothing", training.options.label_smoothing}}}}
                        : Json("categorical_crossentropy");
  return Json{{"loss", loss},
              {"metrics", {"accuracy"}},
              {"loss_weights", nullptr},
              {"weighted_metrics", nullptr},
              {"run_eagerly", false},
              {"optimizer_config",
               {{"class_name", "SGD"},
                {"config",
                 {{"name", "SGD"},
                  {"learning_rate", training.options.learning_rate},
                  {"momentum", training.options.momentum},
                  {"nesterov", training.options.nesterov}}}}}}
      .dump();
}

}  // namespace headstart
