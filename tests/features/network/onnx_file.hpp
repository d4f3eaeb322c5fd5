// tests/features/network/onnx_file.hpp: writes ONNX models with a few lines of Protocol Buffers of its own:
// sound ones as two exporters make them, to be changed at will before they are written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tests/features/network/made_up_weights.hpp"

namespace headstart::test {

// The wire format: each appends one field to `message`.
void append_varint(std::string& message, std::uint64_t value);
void append_number(std::string& message, std::uint32_t field, std::uint64_t value);
void append_bytes(std::string& message, std::uint32_t field, std::string_view bytes);

struct TensorToWrite {
  std::string name;
  std::vector<std::int64_t> extents;
  std::string values;
  std::uint32_t values_field = 9;  ///< raw_data
  std::uint64_t type = 1;          ///< float32
  bool external = false;
};

[[nodiscard]] TensorToWrite float_tensor(std::string name, std::vector<std::int64_t> extents,
                                         std::span<const float> values);
/// Of int64, with one axis.
[[nodiscard]] TensorToWrite integer_tensor(std::string name, std::span<const std::int64_t> values);

struct AttributeToWrite {
  std::string name;
  std::vector<std::int64_t> integers;
  std::optional<std::int64_t> integer;
  std::string text;
  std::optional<TensorToWrite> tensor;
};

struct NodeToWrite {
  std::string operation;
  std::string name;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<AttributeToWrite> attributes;
  std::string domain;
};

/// An input or output of the graph; -1 is a free extent.
struct ValueToWrite {
  std::string name;
  std::vector<std::int64_t> extents;
  std::uint64_t type = 1;  ///< float32
};

struct OnnxModel {
  std::string producer;
  std::vector<NodeToWrite> nodes;
  std::vector<TensorToWrite> tensors;
  std::map<std::string, std::string> metadata;
  std::vector<ValueToWrite> inputs{};
  std::vector<ValueToWrite> outputs{};
};

// Layers without values give tensors of the right shape without values: enough, and quick, where a graph is
// refused.

/// As torch.onnx.export writes torchvision's vgg16: Conv with bias, Relu, MaxPool. Convolution i is node
/// `c<i>`, its kernel "features.<module>.weight".
[[nodiscard]] OnnxModel torch_model(const NetworkLayers& layers, const Network& network = vgg16());

/// As tf2onnx writes Keras's where it folds little: the input transposed, kernels stored HWIO and transposed
/// by a node, biases added behind the convolution.
[[nodiscard]] OnnxModel keras_model(const NetworkLayers& layers);

[[nodiscard]] std::vector<std::byte> onnx_file(const OnnxModel& model);

/// The node of that name.
[[nodiscard]] NodeToWrite& node_of(OnnxModel& model, const std::string& name);

}  // namespace headstart::test
