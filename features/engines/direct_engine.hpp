// features/engines/direct_engine.hpp: convolutions by their definition, one product after the other.
#pragma once

#include <memory>

#include "features/engines/availability.hpp"
#include "features/engines/engine.hpp"

namespace headstart {

/// Opens the engine. @throws Error kFailed naming a layer that is neither convolution nor max-pool
[[nodiscard]] std::unique_ptr<Engine> open_direct_engine(const NetworkWeights& weights,
                                                         const EngineOptions& options);

/// Whether the engine can run here.
[[nodiscard]] Availability probe_direct();

}  // namespace headstart
