// head/sgd_recursion.hpp: a step of SGD is linear in W, V and the gradient. So what W and V hold of any fixed
// matrix, and their norms, can be followed through steps without touching W or V: the solvers do arithmetic
// on these numbers instead of on matrices.
#pragma once

#include "head/first_layer.hpp"
#include "head/primal_kernel.hpp"

namespace headstart {

/// How much of one matrix (W_0, V_0, a row's outer product) W and V hold.
struct Coordinates {
  double w = 0.0;
  double v = 0.0;
};

/// After a step of first_layer.hpp. @param gradient  how much of the matrix the loss's gradient holds,
/// without L2
[[nodiscard]] Coordinates after_step(const Coordinates& before, double gradient, const SgdStep& sgd) noexcept;

/// Inner products with the loss's gradient G = X[batch]^T dz, without L2; W and V from before the step. With
/// X W and X V known, <W, G> = sum(X_b W o dz), <V, G> = sum(X_b V o dz) and <G, G> = tr(dz^T X_b X_b^T dz).
struct GradientProducts {
  double w_g = 0.0;
  double v_g = 0.0;
  double g_g = 0.0;
};

/// The norms after a step: V' = mu V - lr G - a W with a = 2 lr l2, then W' = W + V' (Nesterov: W' = (1 - a)
/// W + mu V' - lr G), multiplied out.
[[nodiscard]] KernelNorms after_step(const KernelNorms& before, const GradientProducts& gradient,
                                     const SgdStep& sgd) noexcept;

}  // namespace headstart
