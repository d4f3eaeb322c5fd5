// tests/features/network/onnx_file.cpp
#include "tests/features/network/onnx_file.hpp"
#include "tests/features/network/vgg16_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace headstart::test {
namespace {

std::string serialize(const TensorToWrite& tensor) {
  std::string message;
  for (const std::int64_t extent : tensor.extents)
    append_number(message, 1, static_cast<std::uint64_t>(extent));
  append_number(message, 2, tensor.type);
  append_bytes(message, 8, tensor.name);
  if (tensor.external) {
    append_number(message, 14, 1);
  } else {
    append_bytes(message, tensor.values_field, tensor.values);
  }
  return message;
}

std::string serialize(const AttributeToWrite& attribute) {
  std::string message;
  append_bytes(message, 1, attribute.name);
  if (attribute.integer) append_number(message, 3, static_cast<std::uint64_t>(*attribute.integer));
  if (!attribute.text.empty()) append_bytes(message, 4, attribute.text);
  if (attribute.tensor) append_bytes(message, 5, serialize(*attribute.tensor));
  for (const std::int64_t number : attribute.integers)
    append_number(message, 8, static_cast<std::uint64_t>(number));
  return message;
}

std::string serialize(const NodeToWrite& node) {
  std::string message;
  for (const std::string& input : node.inputs) append_bytes(message, 1, input);
  for (const std::string& output : node.outputs) append_bytes(message, 2, output);
  append_bytes(message, 3, node.name);
  append_bytes(message, 4, node.operation);
  for (const AttributeToWrite& attribute : node.attributes) append_bytes(message, 5, serialize(attribute));
  if (!node.domain.empty()) append_bytes(message, 7, node.domain);
  return message;
}

/// A ValueInfoProto.
std::string serialize(const ValueToWrite& value) {
  std::string shape;
  for (const std::int64_t extent : value.extents) {
    std::string dimension;
    if (extent < 0) {
      append_bytes(dimension, 2, "free");
    } else {
      append_number(dimension, 1, static_cast<std::uint64_t>(extent));
    }
    append_bytes(shape, 1, dimension);
  }
  std::string tensor;
  append_number(tensor, 1, value.type);
  append_bytes(tensor, 2, shape);
  std::string type;
  append_bytes(type, 1, tensor);
  std::string message;
  append_bytes(message, 1, value.name);
  append_bytes(message, 2, type);
  return message;
}

AttributeToWrite integers(std::string name, std::vector<std::int64_t> values) {
  return {std::move(name), std::move(values), {}, {}, {}};
}

std::vector<AttributeToWrite> convolution_attributes() {
  return {integers("dilations", {1, 1}),
          {"group", {}, 1, {}, {}},
          integers("kernel_shape", {3, 3}),
          integers("pads", {1, 1, 1, 1}),
          integers("strides", {1, 1})};
}

std::vector<AttributeToWrite> pool_attributes() {
  return {{"ceil_mode", {}, 0, {}, {}}, integers("kernel_shape", {2, 2}), integers("strides", {2, 2})};
}

std::vector<std::int64_t> signed_extents(const std::vector<std::uint64_t>& shape) {
  return {shape.begin(), shape.end()};
}

}  // namespace

void append_varint(std::string& message, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) message.push_back(static_cast<char>((value & 0x7FU) | 0x80U));
  message.push_back(static_cast<char>(value));
}

void append_number(std::string& message, std::uint32_t field, std::uint64_t value) {
  append_varint(message, field << 3U);
  append_varint(message, value);
}

void append_bytes(std::string& message, std::uint32_t field, std::string_view bytes) {
  append_varint(message, field << 3U | 2U);
  append_varint(message, bytes.size());
  message += bytes;
}

TensorToWrite float_tensor(std::string name, std::vector<std::int64_t> extents,
                           std::span<const float> values) {
  return {std::move(name), std::move(extents),
          std::string(reinterpret_cast<const char*>(values.data()), values.size_bytes())};
}

TensorToWrite integer_tensor(std::string name, std::span<const std::int64_t> values) {
  constexpr std::uint64_t kInt64 = 7;
  TensorToWrite tensor{std::move(name), {static_cast<std::int64_t>(values.size())}, {}};
  tensor.values.assign(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  tensor.type = kInt64;
  return tensor;
}

OnnxModel torch_model(const NetworkLayers& layers, const Network& network) {
  const std::vector<NetworkLayer> convolved = convolutions(network);
  OnnxModel model{"pytorch", {}, {}, {}};
  std::string value = "input";
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string weight = fmt::format("features.{}.weight", torchvision_module(i, network));
    const std::string bias = fmt::format("features.{}.bias", torchvision_module(i, network));
    model.tensors.push_back(float_tensor(weight, signed_extents(outputs_first_shape(i, network)),
                                         outputs_first(layers, i, network)));
    model.tensors.push_back(float_tensor(bias, {convolved[i].out_channels}, layers[i].bias));
    const std::string made = fmt::format("conv{}", i);
    model.nodes.push_back(
        {"Conv", fmt::format("c{}", i), {value, weight, bias}, {made}, convolution_attributes(), ""});
    value = fmt::format("relu{}", i);
    model.nodes.push_back({"Relu", fmt::format("r{}", i), {made}, {value}, {}, ""});
    if (!is_pooled(network, convolved[i])) continue;
    const std::string pooled = fmt::format("pool{}", i);
    model.nodes.push_back({"MaxPool", fmt::format("p{}", i), {value}, {pooled}, pool_attributes(), ""});
    value = pooled;
  }
  return model;
}

OnnxModel keras_model(const NetworkLayers& layers) {
  OnnxModel model{"tf2onnx", {}, {}, {}};
  model.nodes.push_back(
      {"Transpose", "first", {"input"}, {"input_nchw"}, {integers("perm", {0, 3, 1, 2})}, ""});
  std::string value = "input_nchw";
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto in = static_cast<std::int64_t>(vgg16_convolutions()[i].in_channels);
    const auto out = static_cast<std::int64_t>(vgg16_convolutions()[i].out_channels);
    const std::string layer(vgg16_convolutions()[i].name);
    model.tensors.push_back(float_tensor(layer + "/kernel", {3, 3, in, out}, layers[i].kernel));
    model.tensors.push_back(float_tensor(layer + "/bias", {1, out, 1, 1}, layers[i].bias));
    model.nodes.push_back({"Transpose",
                           layer + "/turn",
                           {layer + "/kernel"},
                           {layer + "/turned"},
                           {integers("perm", {3, 2, 0, 1})},
                           ""});
    model.nodes.push_back({"Conv",
                           fmt::format("c{}", i),
                           {value, layer + "/turned"},
                           {layer + "/convolved"},
                           {{"auto_pad", {}, {}, "SAME_UPPER", {}}, integers("strides", {1, 1})},
                           ""});
    model.nodes.push_back(
        {"Add", fmt::format("a{}", i), {layer + "/bias", layer + "/convolved"}, {layer + "/added"}, {}, ""});
    value = layer + "/relu";
    model.nodes.push_back({"Relu", fmt::format("r{}", i), {layer + "/added"}, {value}, {}, ""});
    if (!ends_block(i)) continue;
    model.nodes.push_back(
        {"MaxPool", fmt::format("p{}", i), {value}, {layer + "/pool"}, pool_attributes(), ""});
    value = layer + "/pool";
  }
  return model;
}

std::vector<std::byte> onnx_file(const OnnxModel& model) {
  std::string graph;
  for (const NodeToWrite& node : model.nodes) append_bytes(graph, 1, serialize(node));
  append_bytes(graph, 2, "graph");
  for (const TensorToWrite& tensor : model.tensors) append_bytes(graph, 5, serialize(tensor));
  for (const ValueToWrite& input : model.inputs) append_bytes(graph, 11, serialize(input));
  for (const ValueToWrite& output : model.outputs) append_bytes(graph, 12, serialize(output));
  std::string opset;
  append_number(opset, 2, 17);
  std::string message;
  append_number(message, 1, 8);  // ir_version
  append_bytes(message, 2, model.producer);
  append_bytes(message, 8, opset);
  append_bytes(message, 7, graph);
  for (const auto& [key, value] : model.metadata) {
    std::string entry;
    append_bytes(entry, 1, key);
    append_bytes(entry, 2, value);
    append_bytes(message, 14, entry);
  }
  const auto bytes = std::as_bytes(std::span(message));
  return {bytes.begin(), bytes.end()};
}

NodeToWrite& node_of(OnnxModel& model, const std::string& name) {
  const auto found = std::find_if(model.nodes.begin(), model.nodes.end(),
                                  [&](const NodeToWrite& node) { return node.name == name; });
  if (found == model.nodes.end()) throw std::logic_error("no node " + name);
  return *found;
}

}  // namespace headstart::test
