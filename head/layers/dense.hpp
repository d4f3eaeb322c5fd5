// head/layers/dense.hpp: one dense layer's weights.
#pragma once

#include <cstdint>
#include <span>

#include "head/matrix.hpp"
#include "head/random.hpp"

namespace headstart {

/// y = x kernel + bias.
struct Dense {
  Matrix kernel;   // [in, out]
  RowVector bias;  // [out]

  /// Whether every number is the same.
  bool operator==(const Dense& other) const { return kernel == other.kernel && bias == other.bias; }
};

/// Keras's default initial weights: the kernel is Glorot-uniform in (-l, l) with l = sqrt(6 / (in + out))
/// (Glorot and Bengio 2010, eq. 16), the bias is 0.
[[nodiscard]] Dense glorot_uniform(Eigen::Index in, Eigen::Index out, Random& random);

/// l2 * sum of squares of every weights matrix.
[[nodiscard]] double l2_penalty(std::span<const Dense> layers, double l2);

}  // namespace headstart
