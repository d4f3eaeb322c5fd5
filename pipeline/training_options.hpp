// pipeline/training_options.hpp: the options of train and sweep, on the command line and in config.toml.
#pragma once

#include "features/vgg16.hpp"
#include "pipeline/option_kinds.hpp"
#include "pipeline/options.hpp"

namespace headstart {

/// "block1_pool" to "block5_pool".
[[nodiscard]] const Names<Tap>& tap_names();
/// "flatten", "avg", "max".
[[nodiscard]] const Names<Pooling>& pooling_names();

/// What train, sweep and finetune have in common: how a step is taken, and how a run goes on after a kill.
void add_steps(CLI::App& app, RunOptions& options);
/// What train and finetune have and sweep searches: how many epochs, at which rates.
void add_epochs(CLI::App& app, RunOptions& options);

/// Options of train. `options` has to live as long as `app`.
void add_training(CLI::App& app, TrainOptions& options);
/// Options of sweep: what train's search leaves open, and the search. `options.sweep` is set.
void add_sweep(CLI::App& app, TrainOptions& options);

/// Holds representation and solver against each other. @throws Error kUsage
void check_representation(const TrainOptions& options);

/// After parsing: what can't be said with bounds on single options, and zeros that mean none. Rows
/// of a file may bring another pooling, so check_representation() of those is left to who reads them.
/// @throws Error kUsage
void resolve_training(TrainOptions& options);

}  // namespace headstart
