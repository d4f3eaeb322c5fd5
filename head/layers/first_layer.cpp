// head/layers/first_layer.cpp
#include "head/layers/first_layer.hpp"

#include <stdexcept>
#include <utility>

#include "head/layers/column_parallel_layer.hpp"
#include "head/layers/gram_solver.hpp"
#include "head/layers/primal_kernel.hpp"
#include "head/layers/primal_solver.hpp"

namespace headstart {

void FirstLayer::use_rows(const SparseRowsView& /*rows*/) {
  throw std::logic_error("first layer: it needs all of its rows at all times");
}

double FirstLayer::penalty(double l2) {
  // Without L2 the norm is not needed, and the gram solver would have to compute it.
  return l2 > 0.0 ? l2 * squared_norm() : 0.0;
}

double FirstLayer::gradient_squared_norm(std::span<const RowIndex> /*batch*/,
                                         const Eigen::Ref<const Matrix>& /*dz*/, double /*l2*/) {
  throw std::logic_error("first layer: its gradient's norm is not known before the step");
}

FirstLayerState FirstLayer::state() { throw std::logic_error("first layer: its state can't be taken"); }

void FirstLayer::set_state(const FirstLayerState& /*state*/) {
  throw std::logic_error("first layer: its state can't be set");
}

std::unique_ptr<FirstLayer> make_first_layer(Solver solver, const SparseRowsView& features, Matrix kernel,
                                             std::span<const RowIndex> training, int threads,
                                             ProcessGroup* processes) {
  switch (solver) {
    case Solver::kGram:
      return std::make_unique<GramSolver>(features, std::move(kernel), training, threads);
    case Solver::kPrimal:
      if (processes != nullptr)
        return std::make_unique<ColumnParallelLayer>(features, kernel, threads, *processes,
                                                     blocks_for(kernel));
      return std::make_unique<PrimalSolver>(features, kernel, threads, best_primal_kernel(),
                                            blocks_for(kernel));
    case Solver::kAuto:
      break;
  }
  throw std::invalid_argument("first layer: choose a solver first");
}

}  // namespace headstart
