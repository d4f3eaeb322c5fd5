// pipeline/run/run_config.hpp: the options of a run as config.toml, which repeats the run from any folder,
// and as the identity of its checkpoint.
#pragma once

#include <optional>
#include <string>

#include "pipeline/options/training_options.hpp"
#include "pipeline/process/session.hpp"
#include "pipeline/run/checkpoint.hpp"

namespace headstart {

/// The text of config.toml.
/// @param asked  the options of the search before this training; null: there was none. `headstart sweep
/// --config` then repeats the search, and `headstart train --config` the training.
[[nodiscard]] std::string config_of(const TrainOptions& options, const TrainOptions* asked,
                                    const Session& session);
[[nodiscard]] std::string config_of(const FinetuneOptions& options, const Session& session);

/// The values that a checkpoint must agree with: `facts` (about the data), and every option that can change
/// the result, by its name of 0.1.0. Options that are described as harmless do not count.
[[nodiscard]] RunIdentity identity_of(const RunIdentity& facts, const OptionList& options);
[[nodiscard]] RunIdentity identity_of(const RunIdentity& facts, TrainOptions options);
[[nodiscard]] RunIdentity identity_of(const RunIdentity& facts, FinetuneOptions options);

}  // namespace headstart
