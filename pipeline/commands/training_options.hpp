// pipeline/commands/training_options.hpp: the options of train and sweep, on the command line and in
// config.toml.
#pragma once

#include "features/network/network.hpp"
#include "pipeline/options/option_kinds.hpp"
#include "pipeline/options/options.hpp"

namespace headstart {

/// "block1_pool" to "block5_pool".
[[nodiscard]] const Names<Tap>& tap_names();
/// "flatten", "avg", "max".
[[nodiscard]] const Names<Pooling>& pooling_names();

/// The common options of train, sweep and finetune: how a step is made, and how a run goes on after a kill.
void add_steps(CLI::App& app, RunOptions& options);
/// The options that train and finetune have, and whose values sweep searches: epochs and learning rates.
void add_epochs(CLI::App& app, RunOptions& options);

/// Options of train. `options` has to live as long as `app`.
void add_training(CLI::App& app, TrainOptions& options);
/// Options of sweep: those of train that the search does not decide, and those of the search. Sets
/// `options.sweep`.
void add_sweep(CLI::App& app, TrainOptions& options);

/// Checks that representation and solver fit together. @throws Error kUsage
void check_representation(const TrainOptions& options);

/// After parsing: makes the checks that bounds on single options can't make, and turns zeros that mean none
/// into empty values. A features file may have another pooling. Therefore its reader calls
/// check_representation() itself.
/// @throws Error kUsage
void resolve_training(TrainOptions& options);

}  // namespace headstart
