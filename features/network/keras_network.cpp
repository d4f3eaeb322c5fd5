// features/network/keras_network.cpp: also knows Keras 1's words beside those of Keras 2 and 3: border_mode
// for padding, subsample for strides, nb_filter, nb_row and nb_col.
#include "features/network/keras_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "data/error.hpp"
#include "features/network/known_networks.hpp"

namespace headstart {
namespace {

using LayerJson = nlohmann::json;

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> texts) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

/// The first of these keys that exists and is not null; else null.
const LayerJson& setting(const KerasNode& node, std::initializer_list<const char*> keys) {
  static const LayerJson kNull;
  if (!node.config->is_object()) return kNull;
  for (const char* const key : keys) {
    const auto found = node.config->find(key);
    if (found != node.config->end() && !found->is_null()) return *found;
  }
  return kNull;
}

/// Whether every number of a setting, in lists or alone, is `needed`. If there is no number, whether
/// `missing` is `needed`.
bool every(const LayerJson& json, double needed, double missing) {
  if (json.is_null()) return needed == missing;
  if (json.is_number()) return json.get<double>() == needed;
  return json.is_array() && !json.empty() &&
         std::all_of(json.begin(), json.end(),
                     [&](const LayerJson& part) { return !part.is_null() && every(part, needed, missing); });
}

bool is_word(const LayerJson& json, std::string_view word, bool missing) {
  return json.is_null() ? missing : json.is_string() && json.get_ref<const std::string&>() == word;
}

/// The name of an activation. Keras 3 may wrap the name into an object.
std::string activation_of(const LayerJson& json) {
  if (json.is_null()) return "linear";
  if (json.is_string()) return json.get<std::string>();
  if (json.is_object() && json.contains("config") && json.at("config").is_string())
    return json.at("config").get<std::string>();
  return "another activation";
}

/// Whether a layer passes its input on unchanged when a network is only run.
bool passes_on(const KerasNode& node) {
  if (node.operation == "Activation") return activation_of(setting(node, {"activation"})) == "linear";
  return is_one_of(node.operation, {"Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise",
                                    "AlphaDropout", "ActivityRegularization", "Identity", "InputLayer"});
}

bool is_convolution(const KerasNode& node) { return is_one_of(node.operation, {"Conv2D", "Convolution2D"}); }

bool is_relu(const KerasNode& node) {
  if (node.operation == "Activation") return activation_of(setting(node, {"activation"})) == "relu";
  return node.operation == "ReLU" && setting(node, {"max_value"}).is_null() &&
         every(setting(node, {"negative_slope"}), 0, 0) && every(setting(node, {"threshold"}), 0, 0);
}

bool pads_by_one(const KerasNode& node) {
  return node.operation == "ZeroPadding2D" && every(setting(node, {"padding"}), 1, 1);
}

bool halves(const KerasNode& node) {
  return every(setting(node, {"pool_size"}), 2, 2) && every(setting(node, {"strides"}), 2, 2) &&
         is_word(setting(node, {"padding", "border_mode"}), "valid", true);
}

bool is_3x3(const KerasNode& node) {
  const LayerJson& size = setting(node, {"kernel_size"});
  if (!size.is_null()) return every(size, 3, 0);
  return every(setting(node, {"nb_row"}), 3, 0) && every(setting(node, {"nb_col"}), 3, 0);
}

/// The layer's class and name in Keras.
std::string title(const KerasNode& node) {
  const std::string name = node.path.empty() ? std::string() : node.path.back();
  return printable(fmt::format("{} '{}'", node.operation, name));
}

/// Why a convolution is not the network's `layer`; empty if it may be. @param padded  whether a layer before
/// it pads
std::string difference(const KerasNode& node, const NetworkLayer& layer, std::string_view network,
                       bool padded) {
  const auto filters = static_cast<double>(layer.out_channels);
  if (!is_3x3(node)) return "has another size than 3x3";
  if (!every(setting(node, {"filters", "nb_filter"}), filters, 0))
    return fmt::format("has other than {} filters", filters);
  const bool same = is_word(setting(node, {"padding", "border_mode"}), "same", false);
  const bool valid = is_word(setting(node, {"padding", "border_mode"}), "valid", true);
  if (!every(setting(node, {"strides", "subsample"}), 1, 1) ||
      !every(setting(node, {"dilation_rate"}), 1, 1) || !every(setting(node, {"groups"}), 1, 1) ||
      !(padded ? valid : same)) {
    return fmt::format("has another stride, padding, dilation or group than {}'s", network);
  }
  const std::string activation = activation_of(setting(node, {"activation"}));
  if (!is_one_of(activation, {"relu", "linear"}))
    return printable(fmt::format("has the activation {}", activation));
  return {};
}

/// Searches for the chain of convolutions that begins at one of them.
class ChainSearch final {
 public:
  ChainSearch(const KerasGraph& graph, const Network& network)
      : graph_(graph), network_(network), layers_(convolutions(network)) {}

  /// The chain that begins with this convolution. Nothing if there is none; problem() then says why.
  std::optional<KerasConvolutions> chain_from(std::size_t first) {
    problem_.clear();
    const std::size_t last = layers_.size() - 1;
    KerasConvolutions chain{first};
    std::string differs = difference(graph_.nodes[first], layers_[0], network_.title, is_padded(first));
    if (!differs.empty()) return refuse(0, first, differs);
    for (std::size_t layer = 0; layer < last; ++layer) {
      const std::set<std::size_t> next = followers(chain[layer], layer);
      if (next.empty()) return std::nullopt;
      if (next.size() > 1) return refuse(layer, chain[layer], "is followed by two convolutions");
      chain.push_back(*next.begin());
      problem_.clear();  // drops the problems of branches that leave the chain
    }
    if (!ends_with_relu(chain[last])) return refuse(last, chain[last], "is not followed by ReLU");
    return chain;
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  std::nullopt_t refuse(std::size_t layer, std::size_t node, std::string_view why) {
    if (problem_.empty()) {
      const std::string& name = layers_[layer].name;
      const std::string own = graph_.nodes[node].path.empty() ? name : graph_.nodes[node].path.back();
      problem_ = own == name ? fmt::format("{} {}", name, why)
                             : fmt::format("{} ({}) {}", name, title(graph_.nodes[node]), why);
    }
    return std::nullopt;
  }

  bool is_padded(std::size_t node) const {
    while (graph_.nodes[node].inputs.size() == 1) {
      node = graph_.nodes[node].inputs.front();
      if (!passes_on(graph_.nodes[node])) return pads_by_one(graph_.nodes[node]);
    }
    return false;
  }

  bool starts_with_relu(std::size_t convolution) const {
    return activation_of(setting(graph_.nodes[convolution], {"activation"})) == "relu";
  }

  /// What lies between a convolution and a node behind it.
  struct Joint {
    std::size_t node = 0;
    bool relu = false;
    bool pool = false;
    bool padded = false;
  };

  /// The convolutions that follow `convolution`, the network's `layer`, in the way its next one does.
  std::set<std::size_t> followers(std::size_t convolution, std::size_t layer) {
    std::set<std::size_t> found;
    std::vector<Joint> pending{{convolution, starts_with_relu(convolution), false, false}};
    while (!pending.empty()) {
      const Joint joint = pending.back();
      pending.pop_back();
      if (graph_.nodes[joint.node].users.empty())
        refuse(layer, convolution, fmt::format("is not followed by {}", layers_[layer + 1].name));
      for (const std::size_t user : graph_.nodes[joint.node].users) {
        const KerasNode& node = graph_.nodes[user];
        Joint next = joint;
        next.node = user;
        if (is_convolution(node)) {
          if (is_next(convolution, layer, next)) found.insert(user);
        } else if (passes(convolution, layer, next)) {
          pending.push_back(next);
        }
      }
    }
    return found;
  }

  bool is_next(std::size_t convolution, std::size_t layer, const Joint& joint) {
    std::string why;
    if (!joint.relu) why = "is not followed by ReLU";
    if (joint.pool != is_pooled(layer))
      why = joint.pool ? "is followed by a max-pool" : "is not followed by a max-pool";
    if (!why.empty()) return refuse(layer, convolution, why), false;
    why = difference(graph_.nodes[joint.node], layers_[layer + 1], network_.title, joint.padded);
    if (!why.empty()) return refuse(layer + 1, joint.node, why), false;
    return true;
  }

  /// Whether a layer may lie between `layer` and the next one; records its effect in `joint`.
  bool passes(std::size_t convolution, std::size_t layer, Joint& joint) {
    const KerasNode& node = graph_.nodes[joint.node];
    if (node.inputs.size() != 1)
      return refuse(layer, convolution, fmt::format("is followed by {}", title(node))), false;
    if (passes_on(node)) return true;
    if (is_relu(node) && (!joint.padded || joint.relu)) return joint.relu = true;
    if (is_one_of(node.operation, {"MaxPooling2D", "MaxPool2D"})) {
      if (!halves(node))
        return refuse(layer, convolution, "is followed by another pool than 2x2 with stride 2"), false;
      if (!joint.pool && !joint.padded && is_pooled(layer)) return joint.pool = true;
    }
    if (pads_by_one(node) && joint.relu && !joint.padded) return joint.padded = true;
    const bool normalised = node.operation == "BatchNormalization";
    refuse(layer, convolution,
           fmt::format("is followed by {}{}", title(node),
                       normalised ? fmt::format(": it looks like {}_bn", network_.name) : std::string()));
    return false;
  }

  bool ends_with_relu(std::size_t convolution) const {
    if (starts_with_relu(convolution)) return true;
    std::vector<std::size_t> pending{convolution};
    while (!pending.empty()) {
      const std::size_t node = pending.back();
      pending.pop_back();
      for (const std::size_t user : graph_.nodes[node].users) {
        if (graph_.nodes[user].inputs.size() != 1) continue;
        if (is_relu(graph_.nodes[user])) return true;
        if (passes_on(graph_.nodes[user])) pending.push_back(user);
      }
    }
    return false;
  }

  [[nodiscard]] bool is_pooled(std::size_t layer) const {
    return headstart::is_pooled(network_, layers_[layer]);
  }

  const KerasGraph& graph_;
  const Network& network_;
  const std::vector<NetworkLayer> layers_;
  std::string problem_;  // the first problem
};

std::vector<std::vector<std::string>> paths_of(const KerasGraph& graph, const KerasConvolutions& chain) {
  std::vector<std::vector<std::string>> paths;
  for (const std::size_t node : chain) paths.push_back(graph.nodes[node].path);
  return paths;
}

// ---- the layers before the first convolution

/// One number for each channel, from a number, or from three in nested lists of one.
std::optional<NetworkInput::Channels> channels_of(const LayerJson& json) {
  const LayerJson* part = &json;
  if (part->is_object()) {  // an array or a tensor of Keras 3
    if (!part->contains("config") || !part->at("config").is_object()) return std::nullopt;
    const auto value = part->at("config").find("value");
    if (value == part->at("config").end()) return std::nullopt;
    part = &*value;
  }
  while (part->is_array() && part->size() == 1) part = &part->front();
  if (part->is_number()) {
    const auto number = part->get<double>();
    return NetworkInput::Channels{number, number, number};
  }
  if (!part->is_array() || part->size() != 3) return std::nullopt;
  NetworkInput::Channels channels{};
  for (std::size_t c = 0; c < 3; ++c) {
    if (!(*part)[c].is_number()) return std::nullopt;
    channels[c] = (*part)[c].get<double>();
  }
  return channels;
}

NetworkInput::Channels all(double value) { return {value, value, value}; }

bool follow_rescaling(NetworkInput& input, const KerasNode& node) {
  const auto scale = channels_of(setting(node, {"scale"}));
  const LayerJson& stated = setting(node, {"offset"});
  const auto offset = stated.is_null() ? all(0.0) : channels_of(stated);
  if (!scale || !offset) return false;
  input.follow(*scale, *offset);
  return true;
}

std::optional<NetworkInput::Channels> channels_of(const std::vector<float>& values) {
  if (values.size() == 1) return all(values.front());
  if (values.size() != 3) return std::nullopt;
  return NetworkInput::Channels{values[0], values[1], values[2]};
}

/// Follows (value - mean) / square root of the variance.
bool follow_normalization(NetworkInput& input, const KerasNode& node, const KerasLayerValues& values) {
  constexpr double kLeastDeviation = 1e-7;  // Keras's epsilon
  auto mean = channels_of(setting(node, {"mean"}));
  auto variance = channels_of(setting(node, {"variance"}));
  if (!mean || !variance) {
    const std::vector<std::vector<float>> stored = values(node);  // mean, variance and a count
    if (stored.size() < 2) return false;
    mean = channels_of(stored[0]);
    variance = channels_of(stored[1]);
  }
  const LayerJson& invert = setting(node, {"invert"});
  if (!mean || !variance || !(invert.is_null() || invert == false)) return false;
  NetworkInput::Channels factor{};
  NetworkInput::Channels offset{};
  for (std::size_t c = 0; c < 3; ++c) {
    factor[c] = 1.0 / std::max(std::sqrt((*variance)[c]), kLeastDeviation);
    offset[c] = -(*mean)[c] * factor[c];
  }
  input.follow(factor, offset);
  return true;
}

/// Every number, or list of three, in a call, such as the constant of x + 3. More than one constant is not
/// understood.
void collect_constants(const LayerJson& json, std::vector<NetworkInput::Channels>& found) {
  if (json.is_object() && json.value("class_name", LayerJson()) == "__keras_tensor__") return;
  if (json.is_array() && json.size() >= 3 && json[0].is_string()) {  // [NAME, NODE, OUTPUT, constants]
    if (json.size() > 3) collect_constants(json[3], found);
    return;
  }
  if (const auto channels = channels_of(json)) {
    found.push_back(*channels);
  } else if (json.is_structured()) {
    for (const LayerJson& part : json) collect_constants(part, found);
  }
}

/// The content of Keras 3's {"class_name": ..., "config": ...}.
const LayerJson& unwrapped(const LayerJson& json) {
  return json.is_object() && json.contains("config") ? json.at("config") : json;
}

bool is_class(const LayerJson& json, std::string_view name) {
  return json.is_object() && json.contains("class_name") && is_word(json.at("class_name"), name, false);
}

/// Whether this is the slice ::STEP. @param step  a number or null
bool is_slice(const LayerJson& json, const LayerJson& step) {
  const LayerJson& slice = unwrapped(json);
  return slice.is_object() && slice.contains("step") && slice.at("step") == step &&
         slice.value("start", LayerJson()).is_null() && slice.value("stop", LayerJson()).is_null();
}

/// Whether a call selects [..., ::-1], or the same with four axes.
bool reverses_last_axis(const LayerJson& call) {
  if (!call.is_structured()) return false;
  if (call.is_array() && !call.empty() && is_slice(call.back(), -1)) {
    const bool ellipsis = call.size() == 2 && is_class(call.front(), "__ellipsis__");
    const auto whole = [](const LayerJson& part) { return is_slice(part, nullptr); };
    return ellipsis || (call.size() == 4 && std::all_of(call.begin(), call.end() - 1, whole));
  }
  return std::any_of(call.begin(), call.end(), reverses_last_axis);
}

/// Whether a call selects [..., CHANNEL].
bool selects_channel(const LayerJson& call, std::size_t channel) {
  if (!call.is_structured()) return false;
  if (call.is_array() && call.size() == 2 && is_class(call.front(), "__ellipsis__"))
    return call.back() == channel;
  return std::any_of(call.begin(), call.end(),
                     [&](const LayerJson& part) { return selects_channel(part, channel); });
}

/// Keras 3's preprocess_input() stacks channels 2, 1 and 0. @return the node whose channels they are
std::optional<std::size_t> follow_stack(const KerasGraph& graph, const KerasNode& stack,
                                        NetworkInput& input) {
  if (stack.operation != "Stack" || stack.inputs.size() != 3 || setting(stack, {"axis"}) != -1)
    return std::nullopt;
  std::set<std::size_t> sources;
  for (std::size_t i = 0; i < 3; ++i) {
    const KerasNode& item = graph.nodes[stack.inputs[i]];
    if (item.operation != "GetItem" || item.inputs.size() != 1 || item.call == nullptr ||
        !selects_channel(*item.call, 2 - i)) {
      return std::nullopt;
    }
    sources.insert(item.inputs.front());
  }
  if (sources.size() != 1) return std::nullopt;
  input.follow_reversal();
  return *sources.begin();
}

/// Follows an operator of TensorFlow (Keras 2) or of Keras 3 that became a layer: + - * / with a constant, or
/// the selection of channels.
bool follow_operator(NetworkInput& input, const KerasNode& node) {
  if (node.call == nullptr || node.inputs.size() != 1) return false;
  std::string operation = node.operation;
  if (is_one_of(operation, {"TFOpLambda", "SlicingOpLambda"})) {
    const LayerJson& function = setting(node, {"function"});
    operation = function.is_string() ? function.get<std::string>() : "";
    operation = operation.substr(operation.rfind('.') + 1);
  }
  if (is_one_of(operation, {"getitem", "__getitem__", "GetItem"})) {
    if (!reverses_last_axis(*node.call)) return false;
    input.follow_reversal();
    return true;
  }
  std::vector<NetworkInput::Channels> constants;
  collect_constants(*node.call, constants);
  if (constants.size() != 1) return false;
  NetworkInput::Channels constant = constants.front();
  if (is_one_of(operation, {"bias_add", "BiasAdd", "add", "Add"})) {
    input.follow(all(1.0), constant);
  } else if (is_one_of(operation, {"subtract", "sub", "Subtract"})) {
    for (double& value : constant) value = -value;
    input.follow(all(1.0), constant);
  } else if (is_one_of(operation, {"multiply", "mul", "Multiply"})) {
    input.follow(constant, all(0.0));
  } else if (is_one_of(operation, {"truediv", "divide", "TrueDivide", "Divide"})) {
    for (double& value : constant) value = 1.0 / value;
    input.follow(constant, all(0.0));
  } else {
    return false;
  }
  return true;
}

/// Whether a layer moves pixels and keeps their values when a network is only run.
bool moves_pixels(const KerasNode& node) {
  return is_one_of(node.operation, {"Resizing", "CenterCrop", "RandomFlip", "RandomRotation", "RandomZoom",
                                    "RandomTranslation", "RandomCrop", "RandomContrast", "RandomBrightness",
                                    "RandomHeight", "RandomWidth", "ZeroPadding2D"});
}

/// @return whether the layer is understood
bool follow_layer(NetworkInput& input, const KerasNode& node, const KerasLayerValues& values) {
  if (node.operation == "InputLayer") return true;
  if (node.inputs.size() != 1) return false;
  if (passes_on(node) || moves_pixels(node)) return true;
  if (node.operation == "Rescaling") return follow_rescaling(input, node);
  if (node.operation == "Normalization") return follow_normalization(input, node, values);
  return follow_operator(input, node);
}

}  // namespace

KerasConvolutions find_chain(const KerasGraph& graph, const WeightsSource& source) {
  ChainSearch search(graph, source.network);
  std::optional<KerasConvolutions> found;
  std::string problem;
  const std::size_t needed = convolutions(source.network).size();
  std::size_t count = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!is_convolution(graph.nodes[i])) continue;
    ++count;
    const auto chain = search.chain_from(i);
    if (chain && found && paths_of(graph, *chain) != paths_of(graph, *found))
      throw unfit_weights(source, fmt::format("it has two networks that are {}", source.network.title),
                          "save one of them alone");
    if (chain) found = chain;
    if (!chain && problem.empty()) problem = search.problem();
  }
  if (found) return *found;
  if (const Network* const other = find_network_with(count); other != nullptr && count != needed)
    problem += fmt::format(": it has {} convolutions, as {} has", count, other->title);
  if (problem.empty()) problem = "its model_config has no convolution";
  throw unfit_weights(source, problem);
}

NetworkInput input_of(const KerasGraph& graph, std::size_t convolution, const KerasLayerValues& values) {
  NetworkInput input;
  std::size_t at = convolution;
  while (graph.nodes[at].inputs.size() == 1) {
    at = graph.nodes[at].inputs.front();
    if (const auto source = follow_stack(graph, graph.nodes[at], input)) at = *source;
    if (!follow_layer(input, graph.nodes[at], values)) {
      input.unreadable = title(graph.nodes[at]);
      break;
    }
  }
  return input;
}

}  // namespace headstart
