// features/graph/onnx_graph.hpp: the parts of an ONNX model (onnx.proto3, ModelProto) that headstart needs:
// the nodes of its graph in order, and the constant tensors. All are views into the file's bytes. Invariant:
// every view lies in the file. The graph has at most kMaxOnnxParts parts, so that a file of many empty parts
// can't fill the memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "features/tensor_shape.hpp"

namespace headstart {

/// A TensorProto whose values were not read yet.
struct OnnxTensor {
  std::string_view name;
  TensorShape shape;
  std::uint64_t type = 0;                ///< TensorProto.DataType: 1 is float32
  std::span<const std::byte> values;     ///< raw_data, or packed float_data or double_data (the same bytes)
  bool elsewhere = false;                ///< the values are in another file
  bool in_other_field = false;           ///< in int32_data and the like, or in several pieces
  std::vector<std::int64_t> integers{};  ///< int32_data or int64_data
};

struct OnnxAttribute {
  std::string_view name;
  std::optional<std::int64_t> integer;
  std::vector<std::int64_t> integers;
  std::string_view text;
  std::optional<OnnxTensor> tensor;
  bool graph = false;  ///< holds a graph of its own, as If and Loop do
};

/// An input or output of the graph. An extent is nothing where the file leaves it free.
struct OnnxValue {
  std::string_view name;
  std::uint64_t type = 0;  ///< TensorProto.DataType; 0: not said, or no tensor
  std::vector<std::optional<std::int64_t>> shape;
};

struct OnnxNode {
  std::string_view name;
  std::string_view operation;            ///< "Conv"
  std::string_view domain;               ///< of the operation: empty or "ai.onnx" for ONNX's own
  std::vector<std::string_view> inputs;  ///< names of values; empty for an optional input that is missing
  std::vector<std::string_view> outputs;
  std::vector<OnnxAttribute> attributes;
};

/// The attribute of that name, or nullptr.
[[nodiscard]] const OnnxAttribute* find_attribute(const OnnxNode& node, std::string_view name);

struct OnnxGraph {
  std::string_view producer;  ///< e.g. "pytorch", "tf2onnx"
  std::string_view producer_version;
  std::unordered_map<std::string_view, std::string_view> metadata;
  std::int64_t opset = 0;         ///< of ONNX's own operators; 0: not said
  std::vector<OnnxValue> inputs;  ///< without initializers, which old files list among them
  std::vector<OnnxValue> outputs;
  std::vector<OnnxValue> stated;  ///< values within whose shape the file states (value_info)
  std::vector<OnnxNode> nodes;    ///< each behind the nodes whose outputs it takes
  std::unordered_map<std::string_view, OnnxTensor> initializers;  ///< by name
  std::unordered_map<std::string_view, std::size_t> makers;  ///< the node that makes the value of that name
};

/// Limit for the sum of nodes, their inputs, outputs and attributes, tensors, metadata and numbers in lists.
/// VGG16 has a few hundred.
inline constexpr std::size_t kMaxOnnxParts = 1'000'000;

/// @param bytes  the file; outlives the graph
/// @throws std::invalid_argument with the reason: truncated or damaged, no graph, two values of one name,
/// nodes out of order, more parts than the limit
[[nodiscard]] OnnxGraph parse_onnx(std::span<const std::byte> bytes);

}  // namespace headstart
