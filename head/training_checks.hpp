// head/training_checks.hpp: what must hold before the first step, so that training itself has no error but
// divergence.
#pragma once

#include "head/trainer.hpp"

namespace headstart {

/// @throws std::invalid_argument naming the first thing that does not fit
void check_training(const TrainingData& data, std::span<const Dense> layers, const TrainingOptions& options);

/// @throws std::invalid_argument if `state` can't be one between two epochs of a run with these options
void check_resumable(const TrainingState& state, const TrainingOptions& options);

}  // namespace headstart
