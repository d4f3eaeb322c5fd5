// head/divergence.hpp: the error of a training whose loss is no longer a finite number. Divergence is a type
// of its own, so that code which catches a Divergence lets other errors pass. Such errors are lost rows, a
// full disk, or memory that runs out.
#pragma once

#include <stdexcept>

namespace headstart {

/// The learning rate is too high for the features. what() says where the loss stopped being finite.
struct Divergence : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace headstart
