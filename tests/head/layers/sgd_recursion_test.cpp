// tests/head/layers/sgd_recursion_test.cpp: numbers that follow steps of SGD, against the steps themselves in
// double.
#include "head/layers/sgd_recursion.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "head/random.hpp"

namespace headstart::test {
namespace {

using DoubleMatrix = Eigen::MatrixXd;

DoubleMatrix random_double(Eigen::Index rows, Eigen::Index columns, Random& random) {
  DoubleMatrix matrix(rows, columns);
  for (Eigen::Index i = 0; i < matrix.size(); ++i)
    matrix.data()[i] = 2.0 * static_cast<double>(random.uniform()) - 1.0;
  return matrix;
}

double inner(const DoubleMatrix& a, const DoubleMatrix& b) { return a.cwiseProduct(b).sum(); }

SgdStep any_step() {
  return {.learning_rate = *rc::gen::element(0.5, 0.01, 1e-4),
          .momentum = *rc::gen::element(0.0, 0.5, 0.9),
          .nesterov = *rc::gen::arbitrary<bool>(),
          .l2 = *rc::gen::element(0.0, 1e-4, 0.1)};
}

RC_GTEST_PROP(SgdRecursion, CoordinatesAndNormsAreThoseOfTheMatrices, ()) {
  Random random(*rc::gen::arbitrary<std::uint64_t>());
  const DoubleMatrix w0 = random_double(3, 4, random);
  const DoubleMatrix v0 = random_double(3, 4, random);
  DoubleMatrix w = w0;
  DoubleMatrix v = v0;
  std::vector<DoubleMatrix> gradients;
  Coordinates of_w0{1.0, 0.0};
  Coordinates of_v0{0.0, 1.0};
  std::vector<Coordinates> of_gradients;
  KernelNorms norms{inner(w, w), inner(w, v), inner(v, v)};
  const int steps = *rc::gen::inRange(1, 7);
  for (int step = 0; step < steps; ++step) {
    const SgdStep sgd = any_step();
    const DoubleMatrix g = random_double(3, 4, random);
    norms = after_step(norms, {inner(w, g), inner(v, g), inner(g, g)}, sgd);
    for (Coordinates& of_gradient : of_gradients) of_gradient = after_step(of_gradient, 0.0, sgd);
    gradients.push_back(g);
    of_gradients.push_back(after_step({}, 1.0, sgd));
    of_w0 = after_step(of_w0, 0.0, sgd);
    of_v0 = after_step(of_v0, 0.0, sgd);

    const DoubleMatrix pull = sgd.learning_rate * (g + 2.0 * sgd.l2 * w);
    v = sgd.momentum * v - pull;
    w += sgd.nesterov ? (sgd.momentum * v - pull).eval() : v;

    DoubleMatrix combined_w = of_w0.w * w0 + of_v0.w * v0;
    DoubleMatrix combined_v = of_w0.v * w0 + of_v0.v * v0;
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      combined_w += of_gradients[i].w * gradients[i];
      combined_v += of_gradients[i].v * gradients[i];
    }
    const double scale = 1.0 + w.squaredNorm() + v.squaredNorm();
    RC_ASSERT((combined_w - w).norm() < 1e-12 * scale);
    RC_ASSERT((combined_v - v).norm() < 1e-12 * scale);
    RC_ASSERT(std::abs(norms.w_w - inner(w, w)) < 1e-12 * scale);
    RC_ASSERT(std::abs(norms.w_v - inner(w, v)) < 1e-12 * scale);
    RC_ASSERT(std::abs(norms.v_v - inner(v, v)) < 1e-12 * scale);
  }
}

}  // namespace
}  // namespace headstart::test
