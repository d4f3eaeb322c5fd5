// features/graph/shape_rule.hpp: the shapes that one operator of ONNX makes of those that it takes. The rules
// are those of onnx.ai/onnx/operators, for every version of an operator: what later versions take as an input
// and earlier ones as an attribute is read from either.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "features/graph/known_value.hpp"
#include "features/graph/onnx_graph.hpp"

namespace headstart {

/// A node and the known values that it takes. Its functions throw std::invalid_argument with the reason where
/// the node does not have what its operator needs.
class NodeInputs {
 public:
  /// @param inputs  of the node; null where an optional one is missing. They and the node outlive this
  NodeInputs(const OnnxNode& node, std::vector<const KnownValue*> inputs)
      : node_(node), inputs_(std::move(inputs)) {}

  [[nodiscard]] const OnnxNode& node() const noexcept { return node_; }
  [[nodiscard]] std::size_t size() const noexcept { return inputs_.size(); }
  [[nodiscard]] bool has(std::size_t i) const noexcept { return i < inputs_.size() && inputs_[i] != nullptr; }
  [[nodiscard]] const KnownValue& value(std::size_t i) const;
  [[nodiscard]] const Extents& shape(std::size_t i = 0) const { return value(i).shape; }

  [[nodiscard]] std::int64_t integer(std::string_view attribute, std::int64_t otherwise) const;
  /// The integers of an attribute, or nothing.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(std::string_view attribute) const;
  /// The integers of the attribute, else of the input; nothing if the node has neither.
  /// @throws NotKnown if the input's numbers depend on what runs
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(std::string_view attribute,
                                                                  std::size_t input) const;

 private:
  const OnnxNode& node_;
  std::vector<const KnownValue*> inputs_;
};

/// Thrown where the shape of an output depends on what runs: it is not known, and the graph may be sound.
struct NotKnown {};

/// The known values of the node's outputs, in order; at least one. Outputs beyond them are not known.
using ShapeRule = std::vector<KnownValue> (*)(const NodeInputs& inputs);
using ShapeRules = std::unordered_map<std::string_view, ShapeRule>;  ///< by operator

[[nodiscard]] const ShapeRules& layer_rules();        ///< convolutions, pools, products, norms
[[nodiscard]] const ShapeRules& arrangement_rules();  ///< of elements in a value
[[nodiscard]] const ShapeRules& number_rules();       ///< elementwise, constants and integers

/// An axis from 0 on, of one that may count from the end.
/// @throws std::invalid_argument if there is no such axis among `rank`
[[nodiscard]] std::size_t axis_of(std::int64_t axis, std::size_t rank);

/// The integers of a tensor of int64, int32 or bool; nothing if it is of another type, in another file or too
/// large.
/// @throws std::invalid_argument if it has more or fewer than its shape says
[[nodiscard]] std::optional<std::vector<std::int64_t>> integers_of(const OnnxTensor& tensor);

/// What is known about a constant.
[[nodiscard]] KnownValue known_value_of(const OnnxTensor& tensor);

}  // namespace headstart
