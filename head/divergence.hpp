// head/divergence.hpp: training whose loss is no number any more. A type of its own, so that nothing else is
// taken for it: lost rows, a full disk or memory that runs out pass through whatever catches a divergence.
#pragma once

#include <stdexcept>

namespace headstart {

/// The learning rate is too high for the features. what() says where the loss stopped being finite.
struct Divergence : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace headstart
