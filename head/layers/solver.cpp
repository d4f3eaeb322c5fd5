// head/layers/solver.cpp
#include "head/layers/solver.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "head/layers/first_layer.hpp"
#include "memory/cgroup.hpp"

namespace headstart {
namespace {

// The rates of one core of a current desktop, rounded; only their ratios matter. Sparse: multiply-adds of an
// entry with a row of W in cache. Paired: with a row of W and of V. Dense products have kDenseFlops, those
// of a blocked product. The other rates are those of memory and cache.
constexpr double kSparseFlops = 30e9;
constexpr double kPairedFlops = 50e9;
constexpr double kMemoryBytes = 25e9;
constexpr double kCacheBytes = 60e9;
constexpr double kCacheSize = 16e6;     // below this many bytes a step, A and B, or W and V, stay in cache
constexpr double kStepSeconds = 10e-6;  // of a step besides its first layer: the loss, the layers above

template <typename Integer>
double real(Integer number) {
  return static_cast<double>(number);
}

double steps_of(const TrainingShape& shape) {
  const std::int64_t batch = std::max<std::int64_t>(shape.batch, 1);
  return real((shape.training + batch - 1) / batch) * real(shape.epochs);
}

double nonzeros_of_a_row(const TrainingShape& shape) {
  return real(shape.nonzeros) / real(std::max<std::int64_t>(shape.rows, 1));
}

}  // namespace

std::int64_t gram_bytes(const TrainingShape& shape) noexcept {
  return 4 * shape.rows * shape.rows + 12 * shape.rows * shape.width + 8 * shape.columns * shape.width;
}

double kernel_matrix_cost(const TrainingShape& shape) noexcept {
  return real(shape.rows) * real(shape.nonzeros) / kSparseFlops;
}

double gram_steps_cost(const TrainingShape& shape) noexcept {
  const double width = real(shape.width);
  const double flops = (shape.l2 ? 4.0 : 2.0) * real(shape.batch) * real(shape.training) * width;
  const double bytes = 16.0 * real(shape.training) * width;
  const double step =
      kStepSeconds + flops / kDenseFlops + bytes / (bytes < kCacheSize ? kCacheBytes : kMemoryBytes);
  const double validation =
      2.0 * real(shape.rows - shape.training) * real(shape.training) * width / kDenseFlops;
  return steps_of(shape) * step + real(shape.epochs) * validation;
}

double gram_cost(const TrainingShape& shape) noexcept {
  const double products = 2.0 * real(shape.nonzeros) * real(shape.width) / kSparseFlops;
  const double final_kernel = products + 8.0 * real(shape.columns) * real(shape.width) / kMemoryBytes;
  return kernel_matrix_cost(shape) + products + final_kernel + gram_steps_cost(shape);
}

double primal_cost(const TrainingShape& shape) noexcept {
  const double width = real(shape.width);
  const double batch = real(std::max<std::int64_t>(shape.batch, 1));
  const double bytes = 16.0 * real(shape.columns) * width;
  const double flops = 4.0 * batch * nonzeros_of_a_row(shape) * width;
  if (shape.dense) {
    const double gathered = 4.0 * batch * real(shape.columns);
    const double step =
        kStepSeconds + gathered / kMemoryBytes +
        std::max(flops / kDenseFlops, bytes / (bytes < kCacheSize ? kCacheBytes : kMemoryBytes));
    const double validation =
        2.0 * real(shape.rows - shape.training) * real(shape.columns) * width / kDenseFlops;
    return steps_of(shape) * step + real(shape.epochs) * validation;
  }
  // In cache, step by step. Otherwise in blocks of steps, with twice the products.
  const double steps_of_a_block = std::max(1.0, std::floor(real(kMostPlannedRows) / batch));
  const double step = kStepSeconds + (bytes < kCacheSize ? std::max(bytes / kCacheBytes, flops / kSparseFlops)
                                                         : bytes / kMemoryBytes / steps_of_a_block +
                                                               2.0 * flops / kPairedFlops);
  const double validation =
      2.0 * (real(shape.rows - shape.training)) * nonzeros_of_a_row(shape) * width / kSparseFlops;
  return steps_of(shape) * step + real(shape.epochs) * validation;
}

Solver choose_solver(const TrainingShape& shape, std::int64_t memory_limit) noexcept {
  const bool fits = real(gram_bytes(shape)) <= 0.4 * real(memory_limit);
  return fits && gram_cost(shape) < primal_cost(shape) ? Solver::kGram : Solver::kPrimal;
}

std::int64_t available_memory() {
  const std::int64_t machine =
      static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::int64_t>(sysconf(_SC_PAGESIZE));
  return std::min(machine, cgroup_limits().memory);
}

}  // namespace headstart
