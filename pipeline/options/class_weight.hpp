// pipeline/options/class_weight.hpp: the weight of each class in training.
#pragma once

namespace headstart {

/// The weight of an image by its class.
enum class ClassWeight {
  kNone,      ///< every image has the same weight
  kBalanced,  ///< every class has the same total weight: balanced_class_weights()
};

}  // namespace headstart
