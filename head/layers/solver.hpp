// head/layers/solver.hpp: chooses the solver of the first layer by a rule from shapes and constants, never
// from clocks. So a run can be repeated.
#pragma once

#include <cstdint>
#include <string_view>

namespace headstart {

/// The ways to train the first layer.
enum class Solver {
  kAuto,    ///< the cheaper one for these shapes, within the memory limit
  kGram,    ///< with the Gram matrix of the training rows (gram_solver.hpp)
  kPrimal,  ///< W and its velocity in memory (primal_solver.hpp)
};

/// The word for it on the command line and in files.
[[nodiscard]] constexpr std::string_view to_string(Solver solver) noexcept {
  switch (solver) {
    case Solver::kAuto:
      return "auto";
    case Solver::kGram:
      return "gram";
    case Solver::kPrimal:
      return "primal";
  }
  return {};
}

/// The dense products of one core in flops a second, as the costs below assume it.
inline constexpr double kDenseFlops = 80e9;

/// The numbers that decide the cost of a run.
struct TrainingShape {
  std::int64_t rows = 0;      ///< training and validation
  std::int64_t training = 0;  ///< rows
  std::int64_t columns = 0;   ///< features
  std::int64_t nonzeros = 0;  ///< of all rows
  std::int64_t width = 0;     ///< of the first layer
  std::int64_t batch = 0;
  std::int64_t epochs = 0;
  bool l2 = false;
  bool dense = false;  ///< rows without gaps: the primal solver is dense_solver.hpp's
};

/// The memory that the gram solver takes beyond the features, in bytes: 4 rows^2 + 12 rows width + 8 columns
/// width (K; A, B and X W_0; twice W_0).
[[nodiscard]] std::int64_t gram_bytes(const TrainingShape& shape) noexcept;

/// Estimated seconds of a run with the gram solver, from flops and bytes at fixed rates
/// (docs/head-solvers.md).
[[nodiscard]] double gram_cost(const TrainingShape& shape) noexcept;
/// The part of gram_cost() that makes the Gram matrix.
[[nodiscard]] double kernel_matrix_cost(const TrainingShape& shape) noexcept;
/// The part of gram_cost() that makes steps and measures validation rows.
[[nodiscard]] double gram_steps_cost(const TrainingShape& shape) noexcept;
/// Estimated seconds of a run with the primal solver.
[[nodiscard]] double primal_cost(const TrainingShape& shape) noexcept;

/// kGram where it costs less and takes at most 40 % of `memory_limit` bytes, else kPrimal.
[[nodiscard]] Solver choose_solver(const TrainingShape& shape, std::int64_t memory_limit) noexcept;

/// The memory that this process may use, in bytes: the machine's, or the cgroup's limit where that is lower.
[[nodiscard]] std::int64_t available_memory();

}  // namespace headstart
