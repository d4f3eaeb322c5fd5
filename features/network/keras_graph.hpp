// features/network/keras_graph.hpp: the layers of a Keras model, read from its model_config, of Keras 1, 2
// or 3. The model may be Sequential or functional; models inside models are flattened. A layer that is called
// twice is two nodes. Invariant: a node comes behind the nodes whose output it takes, and there are at most
// kMaxKerasNodes nodes.
#pragma once

#include <cstddef>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace headstart {

struct KerasNode {
  std::string operation;            ///< class_name: "Conv2D"
  std::vector<std::string> path;    ///< names of the enclosing models, outermost first, then its own
  const nlohmann::json* config;     ///< the layer's, an object
  const nlohmann::json* call;       ///< its entry in inbound_nodes; nullptr in a Sequential
  std::vector<std::size_t> inputs;  ///< the nodes whose outputs it takes
  std::vector<std::size_t> users;   ///< the nodes that take its output
};

struct KerasGraph {
  std::shared_ptr<const nlohmann::json> json;  ///< the nodes point into it
  std::vector<KerasNode> nodes;
};

/// The largest models of keras.applications have about a thousand.
inline constexpr std::size_t kMaxKerasNodes = 5'000;
inline constexpr std::size_t kMaxKerasConfigBytes = std::size_t{16} << 20;

/// @param model_config  the attribute's text
/// @throws std::invalid_argument with the reason: no JSON, no layers, a layer whose input no layer makes, or
/// more nodes or bytes than the limits
[[nodiscard]] KerasGraph parse_keras_graph(std::string_view model_config);

}  // namespace headstart
