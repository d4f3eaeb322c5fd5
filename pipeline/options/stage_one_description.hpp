// pipeline/options/stage_one_description.hpp: what a person can set of stage one, in which words, within
// which bounds.
#pragma once

#include <filesystem>
#include <string_view>

#include "pipeline/options/option.hpp"
#include "pipeline/options/stage_one_options.hpp"

namespace headstart {

/// What a prediction from several views is, in --help.
inline constexpr std::string_view kPredictedViewsHelp =
    "Random crops and flips of each image whose predictions are averaged with its own";

/// The taps by name. The known networks have the same taps.
[[nodiscard]] const Choices<Tap>& tap_choices();

// Options that several commands have. Fields have to outlive the list.

/// The model.h5 that the command reads.
void describe_model(OptionList& list, std::filesystem::path& model);
/// The dataset, and how it is read.
void describe_dataset(OptionList& list, std::filesystem::path& dataset, ImageOptions& images);
/// Where rows are stored.
void describe_cache_folder(OptionList& list, std::filesystem::path& cache);
/// Which network runs, and its weights.
void describe_network(OptionList& list, Network& network, std::filesystem::path& weights);
void describe_weights(OptionList& list, std::filesystem::path& weights);
/// How the network runs and where its rows are stored; these options change no value of a row.
void describe_engine(OptionList& list, StageOneOptions& options);
/// How many views of each image count. @param help  what the command does with views
void describe_views(OptionList& list, int& views, std::string_view help);
/// Options that decide which images are accepted.
void describe_admission(OptionList& list, ImageOptions& images);
/// Options that decide what a cached row is: the input of the network, and the activations that are kept. A
/// saved model has its own.
void describe_extractor(OptionList& list, StageOneOptions& options);
/// Whether the command only lists what it would do.
void describe_dry_run(OptionList& list, bool& dry_run);

}  // namespace headstart
