// pipeline/commands/graph_description.hpp: what `headstart info --network FILE.onnx` says of the file.
#pragma once

#include <optional>
#include <string>

#include "features/graph/graph_network.hpp"
#include "features/network/graph_preprocessing.hpp"

namespace headstart {

struct GraphQuestion {
  std::optional<int> input_size{};  ///< nothing: what the file was made for, else 224
  bool all_taps = false;            ///< not only the default, and the last of each height and width
  std::optional<StatedPreprocessing> preprocessing{};
};

/// Identity, input, preprocessing, layers, cost and taps, a line each.
/// @throws Error kFailed if the network does not take this size
[[nodiscard]] std::string describe(const GraphNetwork& network, const GraphQuestion& question);

}  // namespace headstart
