// pipeline/class_weight.hpp: how much each class counts in training.
#pragma once

namespace headstart {

/// How much an image of a class counts.
enum class ClassWeight {
  kNone,      ///< as much as any other
  kBalanced,  ///< the less the more there are of its class: balanced_class_weights()
};

}  // namespace headstart
