// features/network/keras_graph.cpp: reads the different forms of all Keras versions. A Sequential's config is
// a list of layers, or has one. A functional model's layers name the layers that they take. Keras 2 writes
// [NAME, NODE, OUTPUT], with constants beside it. Keras 3 writes {"class_name": "__keras_tensor__", "config":
// {"keras_history": [NAME, NODE, OUTPUT]}}.
#include "features/network/keras_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

#include "data/error.hpp"

namespace headstart {
namespace {

using KerasJson = nlohmann::json;
using Values = std::vector<std::size_t>;  // the nodes that make the values
using Path = std::vector<std::string>;

std::invalid_argument bad_config(const std::string& why) {
  return std::invalid_argument("its model_config " + why);
}

std::invalid_argument too_many_layers() {
  return bad_config(fmt::format("has more than {} layers", kMaxKerasNodes));
}

KerasJson parse_config(std::string_view text) {
  constexpr int kDeepest = 64;  // a model inside a model needs three levels
  if (text.size() > kMaxKerasConfigBytes) throw bad_config("has more than 16 MiB");
  const auto watch = [](int depth, KerasJson::parse_event_t, KerasJson&) {
    if (depth > kDeepest) throw bad_config("is nested too deeply");
    return true;
  };
  try {
    return KerasJson::parse(text, watch);
  } catch (const KerasJson::exception&) {
    throw bad_config("is no JSON");
  }
}

/// The member, or null.
const KerasJson& member_of(const KerasJson& object, const char* key) {
  static const KerasJson kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

std::string text_of(const KerasJson& json) { return json.is_string() ? json.get<std::string>() : ""; }

/// A layer's name is beside its config in functional models, and inside its config in other models.
std::string name_of(const KerasJson& layer) {
  const std::string outside = text_of(member_of(layer, "name"));
  return outside.empty() ? text_of(member_of(member_of(layer, "config"), "name")) : outside;
}

/// The layers of a model's config; nullptr for a layer's config.
const KerasJson* layers_of(const KerasJson& config) {
  if (config.is_array()) return &config;
  const KerasJson& layers = member_of(config, "layers");
  return layers.is_array() ? &layers : nullptr;
}

/// One output of a call of a layer.
struct Reference {
  std::string layer;
  std::size_t call = 0;
  std::size_t output = 0;
};

std::optional<Reference> reference_of(const KerasJson& json) {
  if (!json.is_array() || json.size() < 3 || json.size() > 4 || !json[0].is_string() ||
      !json[1].is_number_unsigned() || !json[2].is_number_unsigned()) {
    return std::nullopt;
  }
  return Reference{json[0].get<std::string>(), json[1].get<std::size_t>(), json[2].get<std::size_t>()};
}

/// Every reference in a call, in order.
void collect_references(const KerasJson& json, std::vector<Reference>& found) {
  if (auto reference = reference_of(json)) {
    found.push_back(std::move(*reference));
    if (json.size() == 4) collect_references(json[3], found);
  } else if (json.is_object() && text_of(member_of(json, "class_name")) == "__keras_tensor__") {
    collect_references(member_of(member_of(json, "config"), "keras_history"), found);
  } else if (json.is_structured()) {
    for (const KerasJson& part : json) collect_references(part, found);
  }
}

std::vector<Reference> references_in(const KerasJson& json) {
  std::vector<Reference> found;
  collect_references(json, found);
  return found;
}

class Builder final {
 public:
  explicit Builder(std::vector<KerasNode>& nodes) : nodes_(nodes) {}

  /// The outputs of a layer, or of a model that is used as one.
  Values apply(const KerasJson& layer, const KerasJson* call, const Values& inputs, Path path) {
    const KerasJson& config = member_of(layer, "config");
    const std::string operation = text_of(member_of(layer, "class_name"));
    path.push_back(name_of(layer));
    if (++calls_ > kMaxKerasNodes) throw too_many_layers();
    if (operation.empty()) throw bad_config("has a layer of no class");
    if (layers_of(config) != nullptr) return apply_model(config, inputs, path);
    if (operation == "TimeDistributed") return apply(member_of(config, "layer"), call, inputs, path);
    return {add(operation, std::move(path), config, call, inputs)};
  }

  /// @param inputs  one for each input of the model; empty for the outermost model, which gets nodes for them
  Values apply_model(const KerasJson& config, const Values& inputs, const Path& path) {
    const KerasJson& layers = *layers_of(config);
    const bool functional = std::any_of(layers.begin(), layers.end(), [](const KerasJson& layer) {
      return layer.is_object() && layer.contains("inbound_nodes");
    });
    return functional ? apply_functional(config, layers, inputs, path)
                      : apply_sequential(layers, inputs, path);
  }

 private:
  std::size_t add(std::string operation, Path path, const KerasJson& config, const KerasJson* call,
                  Values inputs) {
    if (nodes_.size() >= kMaxKerasNodes) throw too_many_layers();
    nodes_.push_back({std::move(operation), std::move(path), &config, call, std::move(inputs), {}});
    return nodes_.size() - 1;
  }

  std::size_t add_input() {
    static const KerasJson kEmpty = KerasJson::object();
    return add("InputLayer", {}, kEmpty, nullptr, {});
  }

  Values apply_sequential(const KerasJson& layers, const Values& inputs, const Path& path) {
    Values current = inputs.empty() ? Values{add_input()} : inputs;
    for (const KerasJson& layer : layers) {
      if (text_of(member_of(layer, "class_name")) == "InputLayer") continue;
      current = apply(layer, nullptr, current, path);
    }
    return current;
  }

  /// Layers may be listed before the layers that they take. As in Keras, a layer that can't be called yet
  /// waits.
  Values apply_functional(const KerasJson& config, const KerasJson& layers, const Values& inputs,
                          const Path& path) {
    struct Call {
      const KerasJson* layer;
      const KerasJson* call;
      std::string name;
      std::size_t number;
      std::vector<Reference> references;
    };
    std::map<std::pair<std::string, std::size_t>, Values> made;
    // The calls of a layer count from 0. A model inside may be an exception: it may count the call that made
    // it, and list only the other calls. Then each number is one too large.
    std::map<std::string, std::size_t> most;
    std::map<std::string, std::size_t> listed;
    const auto find = [&](const Reference& reference) {
      const std::size_t own = listed[reference.layer] > 0 && most[reference.layer] >= listed[reference.layer];
      return made.find({reference.layer, reference.call - std::min(own, reference.call)});
    };
    const auto value_of = [&](const Reference& reference) {
      const auto found = find(reference);
      if (found == made.end() || reference.output >= found->second.size())
        throw bad_config(fmt::format("has no output of layer '{}'", printable(reference.layer)));
      return found->second[reference.output];
    };

    std::size_t next_input = 0;
    for (const Reference& reference : references_in(member_of(config, "input_layers"))) {
      if (!inputs.empty() && next_input >= inputs.size()) throw bad_config("has a model with too few inputs");
      made[{reference.layer, 0}] = {inputs.empty() ? add_input() : inputs[next_input++]};
    }
    std::vector<Call> waiting;
    for (const KerasJson& layer : layers) {
      const std::string name = name_of(layer);
      std::size_t number = 0;
      for (const KerasJson& call : member_of(layer, "inbound_nodes")) {
        waiting.push_back({&layer, &call, name, number++, references_in(call)});
        listed[name] = number;
        if (waiting.size() > kMaxKerasNodes) throw too_many_layers();
      }
    }
    const std::vector<Reference> ends = references_in(member_of(config, "output_layers"));
    const auto count = [&](const Reference& reference) {
      most[reference.layer] = std::max(most[reference.layer], reference.call);
    };
    for (const Call& call : waiting) std::ranges::for_each(call.references, count);
    std::ranges::for_each(ends, count);
    while (!waiting.empty()) {
      std::vector<Call> still;
      for (Call& call : waiting) {
        const bool ready = std::all_of(call.references.begin(), call.references.end(),
                                       [&](const Reference& r) { return find(r) != made.end(); });
        if (!ready) {
          still.push_back(std::move(call));
          continue;
        }
        Values taken;
        for (const Reference& reference : call.references) taken.push_back(value_of(reference));
        if (taken.empty()) taken.push_back(add_input());  // takes a constant, not the model's input
        made[{call.name, call.number}] = apply(*call.layer, call.call, taken, path);
      }
      if (still.size() == waiting.size())
        throw bad_config(fmt::format("has no input of layer '{}'", printable(still.front().name)));
      waiting = std::move(still);
    }
    Values outputs;
    for (const Reference& reference : ends) outputs.push_back(value_of(reference));
    if (outputs.empty()) throw bad_config("has a model without outputs");
    return outputs;
  }

  std::vector<KerasNode>& nodes_;
  std::size_t calls_ = 0;  // nodes_ alone would not limit models without layers that call others twice
};

}  // namespace

KerasGraph parse_keras_graph(std::string_view model_config) {
  KerasGraph graph;
  graph.json = std::make_shared<const KerasJson>(parse_config(model_config));
  const KerasJson& config = member_of(*graph.json, "config");
  if (layers_of(config) == nullptr) throw bad_config("has no layers");
  Builder(graph.nodes).apply_model(config, {}, {});
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::size_t input : graph.nodes[i].inputs) graph.nodes[input].users.push_back(i);
  }
  return graph;
}

}  // namespace headstart
