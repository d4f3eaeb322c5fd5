// pipeline/options/training_options.hpp: checks of train's and sweep's options that no bound on a single
// option can make.
#pragma once

#include "pipeline/options/options.hpp"

namespace headstart {

/// Checks that representation and solver fit together. @throws Error kUsage
void check_representation(const TrainOptions& options);

/// After parsing: makes the checks that bounds on single options can't make, and turns zeros that mean none
/// into empty values. A features file may have another pooling. Therefore its reader calls
/// check_representation() itself.
/// @throws Error kUsage
void resolve_training(TrainOptions& options);

}  // namespace headstart
