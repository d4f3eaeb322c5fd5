// head/layers/dense.cpp
#include "head/layers/dense.hpp"

#include <cmath>
#include <cstddef>
#include <span>

#include "memory/aligned_floats.hpp"

namespace headstart {

Dense glorot_uniform(Eigen::Index in, Eigen::Index out, Random& random) {
  const auto limit = static_cast<float>(std::sqrt(6.0 / static_cast<double>(in + out)));
  constexpr float kHalfStep = 0x1p-24F;  // centres the 24-bit grid on zero, so that -limit is not drawn
  Dense layer{Matrix(in, out), RowVector::Zero(out)};
  const std::span<float> weights(layer.kernel.data(), static_cast<std::size_t>(layer.kernel.size()));
  prefer_huge_pages(weights);
  Random local = random;  // a local copy stays in registers
  for (float& weight : weights) weight = limit * (2.0F * local.uniform() - 1.0F + kHalfStep);
  random = local;
  return layer;
}

double l2_penalty(std::span<const Dense> layers, double l2) {
  double sum = 0.0;
  for (const Dense& layer : layers) sum += layer.kernel.cast<double>().squaredNorm();
  return l2 * sum;
}

}  // namespace headstart
