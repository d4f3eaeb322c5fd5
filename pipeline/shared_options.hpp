// pipeline/shared_options.hpp: options that several commands take, on the command line and in config.toml.
#pragma once

#include <filesystem>
#include <string>

#include "pipeline/option_kinds.hpp"
#include "pipeline/options.hpp"

namespace headstart {

// What these fill has to live as long as `app`.

/// The dataset itself, and how it is read.
void add_dataset(CLI::App& app, std::filesystem::path& dataset, ImageOptions& images);
void add_cache(CLI::App& app, std::filesystem::path& cache);
void add_weights(CLI::App& app, std::filesystem::path& weights);
/// How the network runs and where its rows go; nothing of it changes a value.
void add_network(CLI::App& app, StageOneOptions& options);
void add_views(CLI::App& app, int& views, const std::string& text);
/// Options that decide which images are let in.
void add_admission(CLI::App& app, ImageOptions& images);
/// Options that decide what a cached row is: what the network sees and what is kept of its activations; a
/// saved model brings its own.
void add_extractor(CLI::App& app, StageOneOptions& options);

/// "float32" and "float16".
[[nodiscard]] const Names<FeatureType>& feature_type_names();

}  // namespace headstart
