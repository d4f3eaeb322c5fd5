// head/dense.cpp
#include "head/dense.hpp"

#include <cmath>

namespace headstart {

Dense glorot_uniform(Eigen::Index in, Eigen::Index out, Random& random) {
  const auto limit = static_cast<float>(std::sqrt(6.0 / static_cast<double>(in + out)));
  constexpr float kHalfStep = 0x1p-24F;  // centres the 24-bit grid on zero, so that -limit is not drawn
  Dense layer{Matrix(in, out), RowVector::Zero(out)};
  for (Eigen::Index i = 0; i < in; ++i) {
    for (Eigen::Index j = 0; j < out; ++j) {
      layer.kernel(i, j) = limit * (2.0F * random.uniform() - 1.0F + kHalfStep);
    }
  }
  return layer;
}

}  // namespace headstart
