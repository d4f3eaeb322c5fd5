// head/layers/dense_solver.cpp
#include "head/layers/dense_solver.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include "head/layers/first_layer_checks.hpp"

namespace headstart {
namespace {

constexpr std::size_t kRowsAtOnce = 96;  // gathered by a thread that multiplies many rows

const Matrix& checked_kernel(const AffineRows& rows, const Matrix& kernel) {
  check_shape("first layer's kernel", kernel.rows(), kernel.cols(), static_cast<std::size_t>(rows.columns()),
              std::max<Eigen::Index>(kernel.cols(), 1));
  return kernel;
}

}  // namespace

DenseSolver::DenseSolver(const AffineRows& rows, const Matrix& kernel, int threads,
                         const DenseRoutines& routines)
    : rows_(rows), routines_(routines), workers_(threads), weights_(checked_kernel(rows, kernel), routines) {}

GatheredRows DenseSolver::gather(std::span<const RowIndex> rows, AlignedFloats& x) const {
  const std::size_t floats = rows.size() * gathered_stride(rows_.columns());
  if (x.span().size() < floats) x = AlignedFloats(floats);
  routines_.gather(rows_, rows, x.span().data());
  return {x.span().data(), rows.size()};
}

GatheredRows DenseSolver::gathered(std::span<const RowIndex> batch) {
  if (!std::equal(batch.begin(), batch.end(), known_.begin(), known_.end())) {
    static_cast<void>(gather(batch, x_));
    known_.assign(batch.begin(), batch.end());
  }
  return {x_.span().data(), batch.size()};
}

void DenseSolver::multiply_many(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z) {
  const std::size_t parts = (rows.size() + kRowsAtOnce - 1) / kRowsAtOnce;
  workers_.for_each(parts, [&](std::size_t part) {
    const std::span<const RowIndex> own =
        rows.subspan(part * kRowsAtOnce, std::min(kRowsAtOnce, rows.size() - part * kRowsAtOnce));
    AlignedFloats x(own.size() * gathered_stride(rows_.columns()));
    routines_.gather(rows_, own, x.span().data());
    for (std::size_t slab = 0; slab < weights_.slabs(); ++slab) {
      weights_.forward(
          slab, {x.span().data(), own.size()},
          z.middleRows(static_cast<Eigen::Index>(part * kRowsAtOnce), static_cast<Eigen::Index>(own.size())));
    }
  });
}

void DenseSolver::forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z, const Plan& /*plan*/) {
  check_rows(rows, rows_.count());
  check_shape("first layer's products", z.rows(), z.cols(), rows.size(), weights_.outputs());
  multiply_many(rows, z);
}

void DenseSolver::step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz,
                       const SgdStep& sgd, std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z,
                       const Plan& /*plan*/) {
  check_rows(batch, rows_.count());
  check_rows(next, rows_.count());
  check_shape("first layer's gradient", dz.rows(), dz.cols(), batch.size(), weights_.outputs());
  check_shape("first layer's products", next_z.rows(), next_z.cols(), next.size(),
              next.empty() ? next_z.cols() : weights_.outputs());
  const GatheredRows of_batch = gathered(batch);
  if (next.empty() || next.size() > kRowsAtOnce) {
    workers_.for_each(weights_.slabs(), [&](std::size_t s) { weights_.step(s, of_batch, dz, sgd); });
    return multiply_many(next, next_z);
  }
  // The next batch is gathered beside this one, so that a slab is still in cache for its products.
  const GatheredRows of_next = gather(next, next_x_);
  workers_.for_each(weights_.slabs(), [&](std::size_t s) {
    weights_.step(s, of_batch, dz, sgd);
    weights_.forward(s, of_next, next_z);
  });
  std::swap(x_, next_x_);
  known_.assign(next.begin(), next.end());
}

double DenseSolver::squared_norm() { return weights_.squared_norm(); }

Matrix DenseSolver::release_kernel() { return weights_.kernel(); }

void DenseSolver::remember() {
  remembered_.assign(weights_.weights().begin(), weights_.weights().end());
  remembered_squared_norms_ = weights_.squared_norms();
}

void DenseSolver::recall() {
  if (remembered_.empty()) throw std::logic_error("recall() without remember()");
  weights_.restore(remembered_, weights_.velocity(), remembered_squared_norms_);
}

FirstLayerState DenseSolver::state() {
  FirstLayerState state{.numbers = weights_.squared_norms(),
                        .arrays = {weights_.weights(), weights_.velocity()}};
  if (remembered_.empty()) return state;
  state.numbers.insert(state.numbers.end(), remembered_squared_norms_.begin(),
                       remembered_squared_norms_.end());
  state.arrays.emplace_back(remembered_);
  return state;
}

void DenseSolver::set_state(const FirstLayerState& state) {
  const std::size_t slabs = weights_.slabs();
  const bool remembers = state.arrays.size() == 3;
  const std::vector<std::size_t> floats(remembers ? 3 : 2, weights_.weights().size());
  check_state(state, remembers ? 2 * slabs : slabs, floats);
  const std::span<const double> numbers(state.numbers);
  weights_.restore(state.arrays[0], state.arrays[1], numbers.first(slabs));
  remembered_.clear();
  if (!remembers) return;
  remembered_.assign(state.arrays[2].begin(), state.arrays[2].end());
  remembered_squared_norms_.assign(numbers.begin() + static_cast<std::ptrdiff_t>(slabs), numbers.end());
}

}  // namespace headstart
