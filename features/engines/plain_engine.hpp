// features/engines/plain_engine.hpp: VGGs on the CPU by plain loops, with sums in double. Note: a second an
// image, so it is none of EngineKind. The self-check compares others with it where no other library is there.
#pragma once

#include <memory>

#include "features/engines/engine.hpp"

namespace headstart {

/// Runs convolutions of 3x3 and max-pools of 2x2. The default batch is one image.
/// @throws Error kFailed naming a layer that it can't run
[[nodiscard]] std::unique_ptr<Engine> open_plain_engine(const NetworkWeights& weights,
                                                        const EngineOptions& options);

}  // namespace headstart
