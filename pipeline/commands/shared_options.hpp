// pipeline/commands/shared_options.hpp: options that several commands take, on the command line and in
// config.toml.
#pragma once

#include <filesystem>
#include <string>

#include "pipeline/options/option_kinds.hpp"
#include "pipeline/options/options.hpp"

namespace headstart {

// The variables that these functions fill have to live as long as `app`.

/// The dataset, and how it is read.
void add_dataset(CLI::App& app, std::filesystem::path& dataset, ImageOptions& images);
void add_cache(CLI::App& app, std::filesystem::path& cache);
/// Which network runs, and its weights.
void add_network(CLI::App& app, Network& network, std::filesystem::path& weights);
/// How the network runs and where its rows are stored; these options change no value of a row.
void add_engine(CLI::App& app, StageOneOptions& options);
void add_views(CLI::App& app, int& views, const std::string& text);
/// Options that decide which images are accepted.
void add_admission(CLI::App& app, ImageOptions& images);
/// Options that decide what a cached row is: the input of the network, and the activations that are kept. A
/// saved model has its own.
void add_extractor(CLI::App& app, StageOneOptions& options);

/// "float32" and "float16".
[[nodiscard]] const Names<FeatureType>& feature_type_names();

}  // namespace headstart
