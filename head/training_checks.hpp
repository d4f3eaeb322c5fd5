// head/training_checks.hpp: what must hold before the first step, so that training itself has no error but
// divergence.
#pragma once

#include "head/trainer.hpp"

namespace headstart {

/// @throws std::invalid_argument naming the first thing that does not fit
void check_training(const TrainingData& data, const Head& initial, const TrainingOptions& options);

}  // namespace headstart
