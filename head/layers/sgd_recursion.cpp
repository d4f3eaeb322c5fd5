// head/layers/sgd_recursion.cpp
#include "head/layers/sgd_recursion.hpp"

namespace headstart {

Coordinates after_step(const Coordinates& before, double gradient, const SgdStep& sgd) noexcept {
  const double pull = sgd.learning_rate * (gradient + 2.0 * sgd.l2 * before.w);
  Coordinates after;
  after.v = sgd.momentum * before.v - pull;
  after.w = before.w + (sgd.nesterov ? sgd.momentum * after.v - pull : after.v);
  return after;
}

KernelNorms after_step(const KernelNorms& before, const GradientProducts& gradient,
                       const SgdStep& sgd) noexcept {
  const double lr = sgd.learning_rate;
  const double mu = sgd.momentum;
  const double a = 2.0 * lr * sgd.l2;
  const auto& [w_g, v_g, g_g] = gradient;
  const double w_newv = mu * before.w_v - lr * w_g - a * before.w_w;  // <W, V'>
  KernelNorms after;
  after.v_v = mu * mu * before.v_v + lr * lr * g_g + a * a * before.w_w - 2.0 * mu * lr * v_g -
              2.0 * mu * a * before.w_v + 2.0 * lr * a * w_g;
  if (sgd.nesterov) {
    const double newv_g = mu * v_g - lr * g_g - a * w_g;  // <V', G>
    after.w_w = (1.0 - a) * (1.0 - a) * before.w_w + mu * mu * after.v_v + lr * lr * g_g +
                2.0 * (1.0 - a) * (mu * w_newv - lr * w_g) - 2.0 * mu * lr * newv_g;
    after.w_v = (1.0 - a) * w_newv + mu * after.v_v - lr * newv_g;
  } else {
    after.w_w = before.w_w + 2.0 * w_newv + after.v_v;
    after.w_v = w_newv + after.v_v;
  }
  return after;
}

}  // namespace headstart
