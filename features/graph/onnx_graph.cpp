// features/graph/onnx_graph.cpp: the field numbers of onnx.proto3 (ONNX 1.23; they never change). Fields
// that are not named here are skipped, as Protocol Buffers require.
#include "features/graph/onnx_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <unordered_set>
#include <utility>

#include "features/graph/protobuf_reader.hpp"

namespace headstart {
namespace {

using FieldKind = ProtobufField::Kind;

std::invalid_argument wrong(const std::string& why) { return std::invalid_argument(why); }

/// Limits the number of parts of a graph.
class Budget final {
 public:
  void spend() {
    if (left_ == 0)
      throw wrong(fmt::format("it has more than {} nodes, tensors, names and numbers", kMaxOnnxParts));
    --left_;
  }

 private:
  std::size_t left_ = kMaxOnnxParts;
};

template <typename Visit>
void for_each_field(std::span<const std::byte> message, Visit visit) {
  ProtobufReader reader(message);
  while (const std::optional<ProtobufField> field = reader.next()) visit(*field);
}

/// The field, which must be a string or a message; any other kind with that number is damage.
const ProtobufField& of_bytes(const ProtobufField& field) {
  if (field.kind != FieldKind::kBytes) throw wrong(fmt::format("a field {} that is a number", field.number));
  return field;
}

std::uint64_t number_of(const ProtobufField& field) {
  if (field.kind != FieldKind::kVarint)
    throw wrong(fmt::format("a field {} that is no number", field.number));
  return field.value;
}

/// Appends a repeated field's numbers, packed or not.
void append_numbers(const ProtobufField& field, Budget& budget, std::vector<std::int64_t>& numbers) {
  const auto append = [&](std::uint64_t number) {
    budget.spend();
    numbers.push_back(static_cast<std::int64_t>(number));
  };
  if (field.kind == FieldKind::kVarint) return append(field.value);
  ProtobufReader packed(of_bytes(field).bytes);
  while (!packed.at_end()) append(packed.varint());
}

OnnxTensor parse_tensor(std::span<const std::byte> message, Budget& budget) {
  constexpr std::uint64_t kExternal = 1;
  OnnxTensor tensor;
  std::vector<std::int64_t> extents;
  const auto take_values = [&](const ProtobufField& field) {
    if (field.kind != FieldKind::kBytes || !tensor.values.empty()) tensor.in_other_field = true;
    if (field.kind == FieldKind::kBytes) tensor.values = field.bytes;
  };
  for_each_field(message, [&](const ProtobufField& field) {
    switch (field.number) {
      case 1:
        return append_numbers(field, budget, extents);
      case 2:
        tensor.type = number_of(field);
        return;
      case 4:   // float_data
      case 9:   // raw_data
      case 10:  // double_data
        return take_values(field);
      case 5:  // int32_data
      case 7:  // int64_data
        tensor.in_other_field = true;
        return append_numbers(field, budget, tensor.integers);
      case 3:   // a segment of a tensor that is spread over several
      case 6:   // string_data
      case 11:  // uint64_data
        tensor.in_other_field = true;
        return;
      case 8:
        tensor.name = of_bytes(field).text();
        return;
      case 13:  // external_data
        tensor.elsewhere = true;
        return;
      case 14:  // data_location
        tensor.elsewhere = tensor.elsewhere || number_of(field) == kExternal;
        return;
      default:
        return;
    }
  });
  for (const std::int64_t extent : extents) {
    if (extent < 0) throw wrong(fmt::format("tensor '{}' has {} of something", tensor.name, extent));
    tensor.shape.push_back(static_cast<std::uint64_t>(extent));
  }
  return tensor;
}

OnnxAttribute parse_attribute(std::span<const std::byte> message, Budget& budget) {
  OnnxAttribute attribute;
  for_each_field(message, [&](const ProtobufField& field) {
    switch (field.number) {
      case 1:
        attribute.name = of_bytes(field).text();
        return;
      case 3:
        attribute.integer = static_cast<std::int64_t>(number_of(field));
        return;
      case 4:
        attribute.text = of_bytes(field).text();
        return;
      case 5:
        attribute.tensor = parse_tensor(of_bytes(field).bytes, budget);
        return;
      case 6:   // g
      case 11:  // graphs
        attribute.graph = true;
        return;
      case 8:
        return append_numbers(field, budget, attribute.integers);
      default:
        return;
    }
  });
  return attribute;
}

OnnxNode parse_node(std::span<const std::byte> message, Budget& budget) {
  OnnxNode node;
  for_each_field(message, [&](const ProtobufField& field) {
    budget.spend();
    switch (field.number) {
      case 1:
        node.inputs.push_back(of_bytes(field).text());
        return;
      case 2:
        node.outputs.push_back(of_bytes(field).text());
        return;
      case 3:
        node.name = of_bytes(field).text();
        return;
      case 4:
        node.operation = of_bytes(field).text();
        return;
      case 5:
        node.attributes.push_back(parse_attribute(of_bytes(field).bytes, budget));
        return;
      case 7:
        node.domain = of_bytes(field).text();
        return;
      default:
        return;
    }
  });
  return node;
}

void add_initializer(std::span<const std::byte> message, Budget& budget, OnnxGraph& graph) {
  OnnxTensor tensor = parse_tensor(message, budget);
  const std::string_view name = tensor.name;
  if (!graph.initializers.emplace(name, std::move(tensor)).second)
    throw wrong(fmt::format("it has two initializers '{}'", name));
}

/// The field of that number in a message, the last one if there are several; empty if there is none.
std::span<const std::byte> message_in(std::span<const std::byte> message, std::uint32_t number) {
  std::span<const std::byte> found;
  for_each_field(message, [&](const ProtobufField& field) {
    if (field.number == number) found = of_bytes(field).bytes;
  });
  return found;
}

/// A TensorShapeProto.Dimension: a number, or a name or nothing if it is free.
std::optional<std::int64_t> parse_extent(std::span<const std::byte> message) {
  std::optional<std::int64_t> extent;
  for_each_field(message, [&](const ProtobufField& field) {
    if (field.number == 1) extent = static_cast<std::int64_t>(number_of(field));
  });
  // Old exporters write 0 or -1 for a free extent.
  return extent && *extent > 0 ? extent : std::nullopt;
}

OnnxValue parse_value(std::span<const std::byte> message, Budget& budget) {
  constexpr std::uint32_t kTypeOfValue = 2;
  constexpr std::uint32_t kTensorOfType = 1;
  OnnxValue value;
  for_each_field(message, [&](const ProtobufField& field) {
    if (field.number == 1) value.name = of_bytes(field).text();
  });
  for_each_field(message_in(message_in(message, kTypeOfValue), kTensorOfType),
                 [&](const ProtobufField& field) {
                   if (field.number == 1) value.type = number_of(field);
                   if (field.number != 2) return;
                   for_each_field(of_bytes(field).bytes, [&](const ProtobufField& extent) {
                     budget.spend();
                     if (extent.number == 1) value.shape.push_back(parse_extent(of_bytes(extent).bytes));
                   });
                 });
  return value;
}

void parse_graph(std::span<const std::byte> message, Budget& budget, OnnxGraph& graph) {
  for_each_field(message, [&](const ProtobufField& field) {
    budget.spend();
    if (field.number == 1) graph.nodes.push_back(parse_node(of_bytes(field).bytes, budget));
    if (field.number == 5) add_initializer(of_bytes(field).bytes, budget, graph);
    if (field.number == 11) graph.inputs.push_back(parse_value(of_bytes(field).bytes, budget));
    if (field.number == 12) graph.outputs.push_back(parse_value(of_bytes(field).bytes, budget));
    if (field.number == 13) graph.stated.push_back(parse_value(of_bytes(field).bytes, budget));
  });
  std::erase_if(graph.inputs,
                [&](const OnnxValue& input) { return graph.initializers.contains(input.name); });
}

void parse_opset(std::span<const std::byte> message, OnnxGraph& graph) {
  std::string_view domain;
  std::int64_t version = 0;
  for_each_field(message, [&](const ProtobufField& field) {
    if (field.number == 1) domain = of_bytes(field).text();
    if (field.number == 2) version = static_cast<std::int64_t>(number_of(field));
  });
  if (domain.empty() || domain == "ai.onnx") graph.opset = version;
}

void add_metadata(std::span<const std::byte> message, OnnxGraph& graph) {
  std::string_view key;
  std::string_view value;
  for_each_field(message, [&](const ProtobufField& field) {
    if (field.number == 1) key = of_bytes(field).text();
    if (field.number == 2) value = of_bytes(field).text();
  });
  if (!graph.metadata.emplace(key, value).second)
    throw wrong(fmt::format("its metadata has '{}' twice", key));
}

/// Checks that every value has one maker, which comes before all nodes that take it. So walks from input to
/// maker end.
void connect(OnnxGraph& graph) {
  std::unordered_set<std::string_view> inputs;
  for (const OnnxValue& input : graph.inputs) {
    if (!inputs.insert(input.name).second) throw wrong(fmt::format("it has two inputs '{}'", input.name));
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::string_view output : graph.nodes[i].outputs) {
      if (output.empty()) continue;
      if (graph.initializers.contains(output) || inputs.contains(output) ||
          !graph.makers.emplace(output, i).second)
        throw wrong(fmt::format("its value '{}' is made twice", output));
    }
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::string_view input : graph.nodes[i].inputs) {
      const auto maker = graph.makers.find(input);
      if (maker != graph.makers.end() && maker->second >= i)
        throw wrong(fmt::format("its nodes are out of order: '{}' is used before it is made", input));
    }
  }
}

}  // namespace

const OnnxAttribute* find_attribute(const OnnxNode& node, std::string_view name) {
  const auto found = std::find_if(node.attributes.begin(), node.attributes.end(),
                                  [&](const OnnxAttribute& attribute) { return attribute.name == name; });
  return found == node.attributes.end() ? nullptr : &*found;
}

OnnxGraph parse_onnx(std::span<const std::byte> bytes) {
  OnnxGraph graph;
  Budget budget;
  bool has_graph = false;
  for_each_field(bytes, [&](const ProtobufField& field) {
    budget.spend();
    switch (field.number) {
      case 2:
        graph.producer = of_bytes(field).text();
        return;
      case 3:
        graph.producer_version = of_bytes(field).text();
        return;
      case 7:
        if (std::exchange(has_graph, true)) throw wrong("it has two graphs");
        return parse_graph(of_bytes(field).bytes, budget, graph);
      case 8:
        return parse_opset(of_bytes(field).bytes, graph);
      case 14:
        return add_metadata(of_bytes(field).bytes, graph);
      default:
        return;
    }
  });
  if (!has_graph) throw wrong("it has no graph");
  connect(graph);
  return graph;
}

}  // namespace headstart
