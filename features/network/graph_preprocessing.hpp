// features/network/graph_preprocessing.hpp: how pixels become the input of a network that is a graph, as its
// file or a file beside it says. Never guessed: a wrong input gives plausible features that are worth little.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "data/error.hpp"
#include "features/graph/graph_network.hpp"
#include "features/network/preprocessing.hpp"

namespace headstart {

struct StatedPreprocessing {
  Preprocessing preprocessing;
  std::string source;  ///< for people: "preprocessor_config.json beside the file"
};

/// The first that is there: the file's metadata (kPreprocessingKey); an input of uint8, which takes the
/// pixels as they are; preprocessor_config.json (Hugging Face), then config.json (timm), beside the file.
/// @param file  of the network
/// @return nothing if none says it
/// @throws Error kFailed for one that is there and can't be read
[[nodiscard]] std::optional<StatedPreprocessing> stated_preprocessing(const GraphNetwork& network,
                                                                      const std::filesystem::path& file);

/// The error where nothing says it, with the names that --preprocess takes.
[[nodiscard]] Error preprocessing_not_stated(const GraphNetwork& network);

}  // namespace headstart
