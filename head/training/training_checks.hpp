// head/training/training_checks.hpp: checks everything before the first step, so that divergence is the only
// error of the training itself.
#pragma once

#include "head/training/trainer.hpp"

namespace headstart {

/// @throws std::invalid_argument that names the first mismatch
void check_training(const TrainingData& data, std::span<const Dense> layers, const TrainingOptions& options);

/// @throws std::invalid_argument if `state` can't be a state between two epochs of a run with these options
void check_resumable(const TrainingState& state, const TrainingOptions& options);

}  // namespace headstart
