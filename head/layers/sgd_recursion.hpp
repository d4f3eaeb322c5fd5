// head/layers/sgd_recursion.hpp: a step of SGD is linear in W, V and the gradient. So the share of any fixed
// matrix in W and V, and the norms of W and V, can be computed without W and V. The solvers compute with
// these numbers instead of matrices.
#pragma once

#include "head/layers/first_layer.hpp"
#include "head/layers/primal_kernel.hpp"

namespace headstart {

/// The factors of one matrix (W_0, V_0, a row's outer product) in W and V.
struct Coordinates {
  double w = 0.0;
  double v = 0.0;
};

/// The factors after a step of first_layer.hpp.
/// @param gradient  the factor of the matrix in the loss's gradient, without L2
[[nodiscard]] Coordinates after_step(const Coordinates& before, double gradient, const SgdStep& sgd) noexcept;

/// Inner products with the loss's gradient G = X[batch]^T dz, without L2. W and V are those before the step.
/// With X W and X V known, <W, G> = sum(X_b W o dz), <V, G> = sum(X_b V o dz) and
/// <G, G> = tr(dz^T X_b X_b^T dz).
struct GradientProducts {
  double w_g = 0.0;
  double v_g = 0.0;
  double g_g = 0.0;
};

/// The norms after a step, from the products of its terms. With a = 2 lr l2: V' = mu V - lr G - a W, then
/// W' = W + V' (Nesterov: W' = (1 - a) W + mu V' - lr G).
[[nodiscard]] KernelNorms after_step(const KernelNorms& before, const GradientProducts& gradient,
                                     const SgdStep& sgd) noexcept;

}  // namespace headstart
