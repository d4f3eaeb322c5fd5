// head/first_layer.cpp
#include "head/first_layer.hpp"

#include "head/primal_kernel.hpp"
#include "head/primal_solver.hpp"

namespace headstart {

std::unique_ptr<FirstLayer> make_primal_solver(const FeatureRows& features, const Matrix& kernel,
                                               int threads) {
  return std::make_unique<PrimalSolver>(features, kernel, threads, best_primal_kernel());
}

}  // namespace headstart
