// head/solver.hpp: which solver trains the first layer, by rule: from shapes and constants, never from
// clocks, so that a run can be repeated.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace headstart {

/// What trains the first layer.
enum class Solver {
  kAuto,    ///< the cheaper of the two for the shapes, within the memory limit
  kGram,    ///< in the space of the training rows (gram_solver.hpp)
  kPrimal,  ///< W and its velocity in memory (primal_solver.hpp)
};

/// "auto", "gram", "primal".
[[nodiscard]] std::string_view to_string(Solver solver) noexcept;
/// The solver of that name; nothing if there is none.
[[nodiscard]] std::optional<Solver> parse_solver(std::string_view name) noexcept;

/// What a run's cost depends on.
struct TrainingShape {
  std::int64_t rows = 0;      ///< training and validation
  std::int64_t training = 0;  ///< rows
  std::int64_t columns = 0;   ///< features
  std::int64_t nonzeros = 0;  ///< of all rows
  std::int64_t width = 0;     ///< of the first layer
  std::int64_t batch = 0;
  std::int64_t epochs = 0;
  bool l2 = false;
};

/// Bytes that the gram solver takes beyond the features: 4 rows^2 + 12 rows width (K; A, B and X W_0) and
/// W_0.
[[nodiscard]] std::int64_t gram_bytes(const TrainingShape& shape) noexcept;

/// Seconds that a run is taken to need, from flops and bytes at fixed rates (docs/head.md).
[[nodiscard]] double gram_cost(const TrainingShape& shape) noexcept;
/// The same of the primal solver.
[[nodiscard]] double primal_cost(const TrainingShape& shape) noexcept;

/// kGram where it costs less and takes at most 40 % of `memory_limit` bytes, else kPrimal.
[[nodiscard]] Solver choose_solver(const TrainingShape& shape, std::int64_t memory_limit) noexcept;

/// The memory that this process may use: the machine's, or its cgroup's limit where that is less.
[[nodiscard]] std::int64_t available_memory();

}  // namespace headstart
