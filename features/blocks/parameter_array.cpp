// features/blocks/parameter_array.cpp: see parameter_array.hpp. Memory limits the speed. A step reads
// weights, velocity and gradient (and W_0 for L2-SP) and writes the first two: 20 bytes a weight. That is 47
// MB for a 512-to-512 kernel, against 30 GFLOP of Winograd at batch 32.
#include "features/blocks/parameter_array.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace headstart {
namespace {

// Each part of this size has its own sum, so that the order of the additions doesn't depend on the threads.
constexpr std::size_t kPart = std::size_t{1} << 15U;

/// The sum of of_part(first, end) over all parts.
template <typename OfPart>
double sum_over_parts(std::size_t size, const OfPart& of_part) {
  const auto parts = static_cast<std::int64_t>((size + kPart - 1) / kPart);
  std::vector<double> sums(static_cast<std::size_t>(parts));
#pragma omp parallel for schedule(static)
  for (std::int64_t part = 0; part < parts; ++part) {
    const std::size_t first = static_cast<std::size_t>(part) * kPart;
    sums[static_cast<std::size_t>(part)] = of_part(first, std::min(size, first + kPart));
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace

void update(const ParameterArray& array, const BlocksStep& step) {
  const auto rate = static_cast<float>(step.learning_rate);
  const auto momentum = static_cast<float>(step.momentum);
  const auto scale = static_cast<float>(step.gradient_scale);
  const bool kernel = !array.reference.empty();
  const auto two_l2 = static_cast<float>(kernel ? 2.0 * step.penalty.l2 : 0.0);
  const auto two_l2_sp = static_cast<float>(kernel ? 2.0 * step.penalty.l2_sp : 0.0);
  float* const w = array.weights.data();
  float* const v = array.velocity.data();
  const float* const g = array.gradient.data();
  // Without L2-SP any array will do; one that is read anyway costs nothing.
  const float* const w0 = two_l2_sp != 0.0F ? array.reference.data() : w;
  const bool nesterov = step.nesterov;
  const auto size = static_cast<std::int64_t>(array.weights.size());
#pragma omp parallel for simd schedule(static)
  for (std::int64_t i = 0; i < size; ++i) {
    const float gradient = scale * (g[i] + two_l2 * w[i] + two_l2_sp * (w[i] - w0[i]));
    const float velocity = momentum * v[i] - rate * gradient;
    v[i] = velocity;
    w[i] += nesterov ? momentum * velocity - rate * gradient : velocity;
  }
}

double penalty_of(const ParameterArray& array, const BlocksPenalty& penalty) {
  if (array.reference.empty() || (penalty.l2 == 0.0 && penalty.l2_sp == 0.0)) return 0.0;
  return sum_over_parts(array.weights.size(), [&](std::size_t first, std::size_t end) {
    double squares = 0.0;
    double moved = 0.0;
    for (std::size_t i = first; i < end; ++i) {
      const auto w = static_cast<double>(array.weights[i]);
      const double d = w - static_cast<double>(array.reference[i]);
      squares += w * w;
      moved += d * d;
    }
    return penalty.l2 * squares + penalty.l2_sp * moved;
  });
}

double gradient_squared_norm_of(const ParameterArray& array, const BlocksPenalty& penalty) {
  const bool kernel = !array.reference.empty();
  const double two_l2 = kernel ? 2.0 * penalty.l2 : 0.0;
  const double two_l2_sp = kernel ? 2.0 * penalty.l2_sp : 0.0;
  return sum_over_parts(array.weights.size(), [&](std::size_t first, std::size_t end) {
    double sum = 0.0;
    for (std::size_t i = first; i < end; ++i) {
      const auto w = static_cast<double>(array.weights[i]);
      const double moved = kernel ? w - static_cast<double>(array.reference[i]) : 0.0;
      const double g = static_cast<double>(array.gradient[i]) + two_l2 * w + two_l2_sp * moved;
      sum += g * g;
    }
    return sum;
  });
}

}  // namespace headstart
