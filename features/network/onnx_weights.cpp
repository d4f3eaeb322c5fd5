// features/network/onnx_weights.cpp: exporters choose names freely and leave nodes in between.
// torch.onnx.export keeps module names, or makes up its own where it folds batch normalisation. tf2onnx wraps
// convolutions into Transposes and may leave the bias to an Add. Both share equal constants through Identity.
// So convolutions are taken in their order, and all connections are followed by names of values, from user to
// maker.
#include "features/network/onnx_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <utility>

#include "data/error.hpp"
#include "features/network/all_finite.hpp"
#include "features/network/known_networks.hpp"
#include "features/network/weights.hpp"

namespace headstart {
namespace {

std::string reexport(const WeightsSource& source) {
  return fmt::format("export {} in float32, with its weights, into one file (docs/weights.md)",
                     source.network.title);
}

bool is(const OnnxNode& node, std::string_view operation) {
  return node.operation == operation && (node.domain.empty() || node.domain == "ai.onnx");
}

/// The node that makes a value. nullptr for an initializer, an input of the model, or no value at all.
const OnnxNode* maker_of(const OnnxGraph& graph, std::string_view value) {
  const auto found = graph.makers.find(value);
  return found == graph.makers.end() ? nullptr : &graph.nodes[found->second];
}

std::string_view input_of(const OnnxNode& node, std::size_t index) {
  return index < node.inputs.size() ? node.inputs[index] : std::string_view();
}

/// A tensor that is a value after transposing: axis i of the value is axis axes[i] of the tensor.
struct Constant {
  const OnnxTensor* tensor = nullptr;
  std::vector<std::size_t> axes;

  [[nodiscard]] TensorShape shape() const {
    TensorShape result;
    for (const std::size_t axis : axes) result.push_back(tensor->shape[axis]);
    return result;
  }
};

/// The axes of a Transpose's result, as axes of its input. ONNX allows leaving them out, but no exporter
/// does.
/// @throws std::invalid_argument unless they are a permutation
std::vector<std::size_t> permutation_of(const OnnxNode& transpose, std::size_t rank) {
  const OnnxAttribute* const attribute = find_attribute(transpose, "perm");
  std::vector<std::size_t> axes;
  if (attribute != nullptr) {
    for (const std::int64_t axis : attribute->integers) axes.push_back(static_cast<std::size_t>(axis));
  }
  std::vector<std::size_t> sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  bool permutes = sorted.size() == rank;
  for (std::size_t i = 0; permutes && i < rank; ++i) permutes = sorted[i] == i;
  if (!permutes)
    throw std::invalid_argument(fmt::format("Transpose '{}' has no order for {} axes", transpose.name, rank));
  return axes;
}

/// The tensor of a Constant node. nullptr for other kinds of constants.
const OnnxTensor* tensor_of(const OnnxNode& constant) {
  const OnnxAttribute* const value = find_attribute(constant, "value");
  return value != nullptr && value->tensor ? &*value->tensor : nullptr;
}

/// The constant behind `value`, through Identity and Transpose. No tensor if `value` depends on the model's
/// input, is missing or is computed in another way.
Constant find_constant(const OnnxGraph& graph, std::string_view value) {
  std::vector<const OnnxNode*> transposes;  // from the value inwards
  const OnnxNode* maker = maker_of(graph, value);
  while (maker != nullptr && (is(*maker, "Identity") || is(*maker, "Transpose"))) {
    if (is(*maker, "Transpose")) transposes.push_back(maker);
    value = input_of(*maker, 0);
    maker = maker_of(graph, value);
  }
  Constant constant;
  if (const auto initializer = graph.initializers.find(value); initializer != graph.initializers.end()) {
    constant.tensor = &initializer->second;
  } else if (maker != nullptr && is(*maker, "Constant")) {
    constant.tensor = tensor_of(*maker);
  }
  if (constant.tensor == nullptr) return {};
  constant.axes.resize(constant.tensor->shape.size());
  std::iota(constant.axes.begin(), constant.axes.end(), std::size_t{0});
  for (auto transpose = transposes.rbegin(); transpose != transposes.rend(); ++transpose) {
    std::vector<std::size_t> axes = permutation_of(**transpose, constant.axes.size());
    for (std::size_t& axis : axes) axis = constant.axes[axis];
    constant.axes = std::move(axes);
  }
  return constant;
}

/// Why `value` is not a constant of this file.
std::string why_not_constant(const OnnxGraph& graph, std::string_view value) {
  const OnnxNode* const maker = maker_of(graph, value);
  if (maker == nullptr) return fmt::format("'{}', is not in the file", value);
  return fmt::format("'{}', is computed by {}", value, maker->operation);
}

bool is_3x3(const TensorShape& shape) { return shape.size() == 4 && shape[2] == 3 && shape[3] == 3; }

struct Convolution {
  const OnnxNode* node = nullptr;
  Constant kernel;
};

/// Every 3x3 convolution, in order. Other convolutions are not part of the convolutional part: timm's head
/// has some.
std::vector<Convolution> list_convolutions(const OnnxGraph& graph, const WeightsSource& source) {
  std::vector<Convolution> found;
  std::string_view other;  // quantised or fused convolutions of other domains
  for (const OnnxNode& node : graph.nodes) {
    if (!is(node, "Conv")) {
      if (node.operation.find("Conv") != std::string_view::npos) other = node.operation;
      continue;
    }
    Constant kernel = find_constant(graph, input_of(node, 1));
    if (kernel.tensor == nullptr) {
      throw unfit_weights(source,
                          fmt::format("the kernel of convolution '{}', {}", node.name,
                                      why_not_constant(graph, input_of(node, 1))),
                          reexport(source));
    }
    if (is_3x3(kernel.shape())) found.push_back({&node, std::move(kernel)});
  }
  const std::size_t needed = convolutions(source.network).size();
  if (found.size() != needed) {
    std::string why =
        fmt::format("it has {} convolutions of 3x3, {} has {}", found.size(), source.network.title, needed);
    if (const Network* const like = find_network_with(found.size()))
      why += fmt::format(": it looks like {}", like->title);
    if (!other.empty()) why += fmt::format("; {} is none that headstart reads", other);
    throw unfit_weights(source, why);
  }
  return found;
}

Error not_joined(const WeightsSource& source, const NetworkLayer& layer, std::string_view why) {
  return unfit_weights(source, fmt::format("{} {}", layer.name, why));
}

/// Whether all `count` numbers of a list attribute are `needed`. A missing attribute counts as `missing`.
bool are(const OnnxNode& node, std::string_view name, std::size_t count, std::int64_t missing,
         std::int64_t needed) {
  const OnnxAttribute* const attribute = find_attribute(node, name);
  if (attribute == nullptr || attribute->integers.empty()) return missing == needed;
  return attribute->integers.size() == count &&
         std::all_of(attribute->integers.begin(), attribute->integers.end(),
                     [&](std::int64_t number) { return number == needed; });
}

/// Whether a node pads by `padding` on every side. SAME pads a 3x3 window by one at stride 1.
bool pads(const OnnxNode& node, std::int64_t padding) {
  const OnnxAttribute* const automatic = find_attribute(node, "auto_pad");
  if (automatic == nullptr || automatic->text == "NOTSET") return are(node, "pads", 4, 0, padding);
  if (automatic->text == "VALID") return padding == 0;
  return padding == 1;
}

void check_convolution(const OnnxNode& node, const NetworkLayer& layer, const WeightsSource& source) {
  const OnnxAttribute* const group = find_attribute(node, "group");
  const bool fits = are(node, "strides", 2, 1, 1) && are(node, "dilations", 2, 1, 1) && pads(node, 1) &&
                    (group == nullptr || group->integer.value_or(1) == 1);
  if (!fits) {
    throw not_joined(
        source, layer,
        fmt::format("has another stride, padding, dilation or group than {}'s", source.network.title));
  }
}

void check_pool(const OnnxNode& node, const NetworkLayer& before, const WeightsSource& source) {
  const OnnxAttribute* const ceil = find_attribute(node, "ceil_mode");
  const OnnxAttribute* const automatic = find_attribute(node, "auto_pad");
  // SAME pads a 2x2 window at stride 2 only if a side is odd; the pool would then round up.
  const bool rounds_down = (ceil == nullptr || ceil->integer.value_or(0) == 0) &&
                           (automatic == nullptr || !automatic->text.starts_with("SAME"));
  const bool fits = are(node, "kernel_shape", 2, 0, 2) && are(node, "strides", 2, 1, 2) &&
                    are(node, "dilations", 2, 1, 1) && pads(node, 0) && rounds_down;
  if (!fits) throw not_joined(source, before, "is followed by another pool than 2x2 with stride 2");
}

/// The constant that an Add adds, and the value to which it is added.
std::optional<std::pair<Constant, std::string_view>> added_constant(const OnnxGraph& graph,
                                                                    const OnnxNode& add) {
  for (const std::size_t side : {std::size_t{1}, std::size_t{0}}) {
    Constant constant = find_constant(graph, input_of(add, side));
    if (constant.tensor != nullptr) return std::pair{std::move(constant), input_of(add, 1 - side)};
  }
  return std::nullopt;
}

/// Walks back from the input of `next` to the output of `layer`, and checks the nodes between them.
/// @return the constant that is added on the way; without a tensor if there is none
Constant check_joint(const OnnxGraph& graph, const Convolution& below, const Convolution& above,
                     const NetworkLayer& layer, const NetworkLayer& next, const WeightsSource& source) {
  const OnnxNode* const from = below.node;
  const bool pooled = is_pooled(source.network, layer);
  std::string_view value = input_of(*above.node, 0);
  bool relu = false;
  bool pool = false;
  Constant bias;
  for (const OnnxNode* node = maker_of(graph, value); node != from; node = maker_of(graph, value)) {
    if (node == nullptr || is(*node, "Conv"))
      throw not_joined(source, next, fmt::format("does not follow {}", layer.name));
    value = input_of(*node, 0);
    if (is(*node, "Identity") || is(*node, "Transpose")) continue;
    if (is(*node, "Relu") && !relu && bias.tensor == nullptr) {
      relu = true;
    } else if (is(*node, "MaxPool") && pooled && !pool && bias.tensor == nullptr) {
      check_pool(*node, layer, source);
      pool = true;
    } else if (is(*node, "Add") && relu && bias.tensor == nullptr) {
      auto added = added_constant(graph, *node);
      if (!added) throw not_joined(source, layer, "is followed by an Add of something that is no constant");
      std::tie(bias, value) = std::move(*added);
    } else {
      throw not_joined(source, layer,
                       fmt::format("is followed by {}{}", node->operation,
                                   is(*node, "BatchNormalization")
                                       ? fmt::format(": it looks like {}_bn", source.network.name)
                                       : std::string()));
    }
  }
  if (!relu) throw not_joined(source, layer, "is not followed by Relu");
  if (pool != pooled) throw not_joined(source, layer, "is not followed by MaxPool");
  return bias;
}

/// Like check_joint() for the last convolution, whose ReLU is searched behind it.
Constant check_end(const OnnxGraph& graph, const OnnxNode& convolution, const WeightsSource& source) {
  Constant bias;
  std::set<std::string_view> values(convolution.outputs.begin(), convolution.outputs.end());
  for (const OnnxNode& node : graph.nodes) {  // makers come before users, so one pass is enough
    const auto takes = [&](std::string_view input) { return values.contains(input); };
    if (std::none_of(node.inputs.begin(), node.inputs.end(), takes)) continue;
    if (is(node, "Relu")) return bias;
    if (is(node, "Add") && bias.tensor == nullptr) {
      auto added = added_constant(graph, node);
      if (!added) continue;
      bias = std::move(added->first);
      values.clear();
    } else if (!is(node, "Transpose") && !is(node, "Identity")) {
      continue;
    }
    values.insert(node.outputs.begin(), node.outputs.end());
  }
  throw not_joined(source, convolutions(source.network).back(), "is not followed by Relu");
}

/// The bias of convolution `i`; without a tensor if there is none. First checks the convolution and the nodes
/// between it and the next one.
Constant find_bias(const OnnxGraph& graph, std::span<const Convolution> found,
                   std::span<const NetworkLayer> layers, std::size_t i, const WeightsSource& source) {
  const NetworkLayer& layer = layers[i];
  const OnnxNode& node = *found[i].node;
  check_convolution(node, layer, source);
  Constant bias = i + 1 == layers.size()
                      ? check_end(graph, node, source)
                      : check_joint(graph, found[i], found[i + 1], layer, layers[i + 1], source);
  if (const std::string_view own = input_of(node, 2); !own.empty()) {
    if (bias.tensor != nullptr) throw not_joined(source, layer, "has a bias and an Add");
    bias = find_constant(graph, own);
    if (bias.tensor == nullptr) {
      throw unfit_weights(source, fmt::format("the bias of {}, {}", layer.name, why_not_constant(graph, own)),
                          reexport(source));
    }
  }
  return bias;
}

std::optional<FloatType> float_type_of(const OnnxTensor& tensor) {
  static const std::map<std::uint64_t, FloatType> kTypes{{1, FloatType::kFloat32},
                                                         {10, FloatType::kFloat16},
                                                         {11, FloatType::kFloat64},
                                                         {16, FloatType::kBfloat16}};
  const auto found = kTypes.find(tensor.type);
  return found == kTypes.end() ? std::nullopt : std::optional(found->second);
}

/// The tensor in the form of the common checks. @param what  e.g. "block1_conv1 kernel"
StoredTensor stored(const OnnxTensor& tensor, const std::string& what, const WeightsSource& source) {
  const std::string where = fmt::format("{} ({})", what, tensor.name);
  if (tensor.elsewhere)
    throw unfit_weights(source, fmt::format("the values of {} are in another file", where), reexport(source));
  const std::optional<FloatType> type = float_type_of(tensor);
  if (!type) {
    throw unfit_weights(
        source, fmt::format("{} is of ONNX's type {}, needed a floating-point type", where, tensor.type),
        reexport(source));
  }
  if (tensor.in_other_field)
    throw unfit_weights(source, fmt::format("the values of {} are not its raw data", where),
                        reexport(source));
  return {tensor.name, tensor.shape, *type, tensor.values};
}

using Channels = NetworkInput::Channels;

/// A constant of one number, or of one number for each channel, on any axis.
std::optional<Channels> channels_of(const Constant& constant) {
  if (constant.tensor == nullptr) return std::nullopt;
  const std::optional<FloatType> type = float_type_of(*constant.tensor);
  if (!type || constant.tensor->elsewhere || constant.tensor->in_other_field) return std::nullopt;
  const TensorShape& shape = constant.tensor->shape;
  const auto ones = static_cast<std::size_t>(std::count(shape.begin(), shape.end(), 1U));
  const bool three = ones + 1 == shape.size() && std::count(shape.begin(), shape.end(), 3U) == 1;
  if (ones != shape.size() && !three) return std::nullopt;
  if (constant.tensor->values.size() != (three ? 3U : 1U) * bytes_of(*type)) return std::nullopt;
  const std::vector<float> values = decode_floats(*type, constant.tensor->values);
  if (!all_finite(values)) return std::nullopt;
  return three ? Channels{values[0], values[1], values[2]} : Channels{values[0], values[0], values[0]};
}

Channels all_channels(double value) { return {value, value, value}; }

/// The constant's 64-bit integers; nothing unless it has `count` of them.
std::optional<std::vector<std::int64_t>> integers_of(const Constant& constant, std::size_t count) {
  constexpr std::uint64_t kInt64 = 7;
  std::vector<std::int64_t> integers(count);
  if (constant.tensor == nullptr || constant.tensor->type != kInt64 ||
      constant.tensor->values.size() != count * sizeof(std::int64_t)) {
    return std::nullopt;
  }
  std::memcpy(integers.data(), constant.tensor->values.data(), constant.tensor->values.size());
  return integers;
}

/// Whether the channels may be on this one of four axes.
bool is_channel_axis(std::int64_t axis) { return axis == 1 || axis == 3 || axis == -1 || axis == -3; }

/// Whether a node reverses the channels: gathers 2, 1, 0, or steps backwards through them.
bool reverses_channels(const OnnxGraph& graph, const OnnxNode& node) {
  const auto integers = [&](std::size_t input, std::size_t count) {
    return integers_of(find_constant(graph, input_of(node, input)), count);
  };
  if (is(node, "Gather")) {
    const OnnxAttribute* const axis = find_attribute(node, "axis");
    return axis != nullptr && is_channel_axis(axis->integer.value_or(0)) &&
           integers(1, 3) == std::vector<std::int64_t>{2, 1, 0};
  }
  if (!is(node, "Slice")) return false;
  const auto axes = integers(3, 1);
  return axes && is_channel_axis(axes->front()) && integers(1, 1) == std::vector<std::int64_t>{-1} &&
         integers(4, 1) == std::vector<std::int64_t>{-1};
}

/// Follows + - * / with a constant. @return the other operand; nothing if the node is no such operation
std::optional<std::string_view> follow_arithmetic(const OnnxGraph& graph, const OnnxNode& node,
                                                  NetworkInput& input) {
  const bool adds = is(node, "Add");
  const bool multiplies = is(node, "Mul");
  if (!adds && !multiplies && !is(node, "Sub") && !is(node, "Div")) return std::nullopt;
  std::size_t side = 1;
  auto constant = channels_of(find_constant(graph, input_of(node, side)));
  if (!constant && (adds || multiplies)) {
    side = 0;
    constant = channels_of(find_constant(graph, input_of(node, side)));
  }
  if (!constant) return std::nullopt;
  for (double& value : *constant) {
    if (is(node, "Sub")) value = -value;
    if (is(node, "Div")) value = 1.0 / value;
  }
  if (adds || is(node, "Sub"))
    input.follow(all_channels(1.0), *constant);
  else
    input.follow(*constant, all_channels(0.0));
  return input_of(node, 1 - side);
}

/// Follows a node that is understood. @return the value that it changes; nothing for another node
std::optional<std::string_view> follow(const OnnxGraph& graph, const OnnxNode& node, NetworkInput& input) {
  if (reverses_channels(graph, node)) {
    input.follow_reversal();
    return input_of(node, 0);
  }
  if (is(node, "Identity") || is(node, "Cast") || is(node, "Transpose")) return input_of(node, 0);
  return follow_arithmetic(graph, node, input);
}

/// The graph's changes to its input before the first 3x3 convolution.
NetworkInput network_input(const OnnxGraph& graph, const OnnxNode& convolution) {
  NetworkInput input;
  std::string_view value = input_of(convolution, 0);
  while (const OnnxNode* const node = maker_of(graph, value)) {
    const auto before = follow(graph, *node, input);
    if (!before) {
      input.unreadable = printable(fmt::format("{} '{}'", node->operation, node->name));
      break;
    }
    value = *before;
  }
  return input;
}

}  // namespace

StoredConvolutions find_convolutions(const OnnxGraph& graph, const WeightsSource& source) {
  const std::vector<Convolution> found = list_convolutions(graph, source);
  const std::vector<NetworkLayer> layers = convolutions(source.network);
  std::vector<Constant> biases;
  for (std::size_t i = 0; i < layers.size(); ++i)
    biases.push_back(find_bias(graph, found, layers, i, source));
  // torch.onnx.export leaves out biases that are zero, as in a network that was never trained. A single
  // missing bias is damage, not zero.
  const auto missing = [](const Constant& bias) { return bias.tensor == nullptr; };
  const auto first_missing = std::find_if(biases.begin(), biases.end(), missing);
  const bool without = std::all_of(biases.begin(), biases.end(), missing);
  if (first_missing != biases.end() && !without)
    throw not_joined(source, layers[static_cast<std::size_t>(first_missing - biases.begin())], "has no bias");
  StoredConvolutions result(layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string& layer = layers[i].name;
    const Constant& kernel = found[i].kernel;
    result[i].kernel = stored(*kernel.tensor, fmt::format("{} kernel", layer), source);
    std::copy(kernel.axes.begin(), kernel.axes.end(), result[i].axes.begin());
    if (!without) result[i].bias = stored(*biases[i].tensor, fmt::format("{} bias", layer), source);
  }
  return result;
}

WeightsOrigin origin_of(const OnnxGraph& graph) {
  for (const OnnxNode& node : graph.nodes) {
    if (!is(node, "Conv")) continue;
    for (const std::string_view name : {node.name, input_of(node, 1)}) {
      if (name.find("features.0") != std::string_view::npos) return WeightsOrigin::kTorchvision;
      if (name.find("block1_conv1") != std::string_view::npos) return WeightsOrigin::kKeras;
    }
  }
  if (graph.producer == "pytorch") return WeightsOrigin::kTorchvision;
  if (graph.producer == "tf2onnx" || graph.producer == "keras2onnx") return WeightsOrigin::kKeras;
  return WeightsOrigin::kUnknown;
}

NetworkWeights read_onnx_weights(const Network& network, std::span<const std::byte> bytes,
                                 const std::string& name) {
  const WeightsSource source{network, name};
  try {
    const OnnxGraph graph = parse_onnx(bytes);
    NetworkWeights weights = empty_weights(network);
    weights.layers = decode_convolutions(find_convolutions(graph, source), source);
    const auto stated = graph.metadata.find(kPreprocessingKey);
    adopt_preprocessing(
        weights,
        choose_preprocessing(weights.layers.front().kernel, origin_of(graph),
                             stated == graph.metadata.end() ? std::string_view() : stated->second, source,
                             network_input(graph, *list_convolutions(graph, source).front().node)));
    weights.format = "ONNX";
    if (!graph.producer.empty()) weights.format += fmt::format(", by {}", graph.producer);
    if (!graph.producer_version.empty()) weights.format += fmt::format(" {}", graph.producer_version);
    return weights;
  } catch (const std::invalid_argument& error) {
    throw damaged_weights(source, error.what());
  }
}

}  // namespace headstart
